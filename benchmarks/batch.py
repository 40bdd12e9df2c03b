"""What a batch costs beside its dubs: N short videos into three languages in one process, as Markdown.

    python benchmarks/batch.py FOLDER --videos 100

The videos say the same sentence, each a little more quietly, so that every stage of every video is computed.
A run that was cut goes on in the same FOLDER: what is dubbed is skipped, and samples of memory are added.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from examples.make_clip import SENTENCE, TRANSLATIONS, make_clip, write_clip
from media.audio_io import read_audio
from media.tools import find_tools, input_name, run_ffmpeg
from schemas.batch import BatchSummary
from schemas.dub import Receipt
from schemas.settings import Settings

STEP_DB = 0.05
"""Between the loudness of one video and the next."""

SAMPLE_S = 5.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where everything of the benchmark lies")
    parser.add_argument("--videos", type=int, default=4)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    home = asked.folder / "home"
    manifest = make_videos(asked.folder / "videos", asked.videos, Settings(home=home))
    wall_s = dub_all(manifest, asked.folder / "out", home, asked.folder / "memory.csv")
    sys.stdout.write(told(asked.folder, home, wall_s))


def make_videos(folder: Path, count: int, settings: Settings) -> Path:
    """Write the videos that are not there yet, and the manifest that names them."""
    folder.mkdir(exist_ok=True)
    first = folder / "clip.mp4"
    if not first.exists():
        make_clip(first, settings)
    wav = folder / "clip.wav"
    run_ffmpeg(find_tools(), ["-i", input_name(first), "-ac", "1", input_name(wav)], writes_to=wav)
    sound, _ = read_audio(wav)
    names = [f"clip{number:04d}.mp4" for number in range(count)]
    for number, name in enumerate(names):
        if not (folder / name).exists():
            write_clip(folder / name, sound[:, 0] * 10 ** (-STEP_DB * number / 20), settings)
    manifest = folder / "batch.csv"
    manifest.write_text(
        "".join(f"{line}\n" for line in ["video,script", *(f"{n},clip.{{language}}.srt" for n in names)])
    )
    return manifest


def dub_all(manifest: Path, out: Path, home: Path, memory: Path) -> float:
    """Run the batch in one process, note its resident memory meanwhile, and return its seconds."""
    languages = ",".join(TRANSLATIONS)
    what = ["localize", str(manifest), "--to", languages, "--from", "en", "--speakers", "1", "--out", str(out)]
    environment = {**os.environ, "JAMDUB_HOME": str(home)}
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "flows.cli", *what], env=environment)
    ended = threading.Event()
    watcher = threading.Thread(target=watch, args=(process.pid, out / "summary.json", memory, ended))
    watcher.start()
    code = process.wait()
    ended.set()
    watcher.join()
    if code != 0:
        sys.exit(f"the batch ended with {code}: run the same command again to go on")
    return time.monotonic() - started


def watch(process_id: int, summary: Path, memory: Path, ended: threading.Event) -> None:
    """Add (time, dubs completed by then, resident MB) to the file, every few seconds."""
    with memory.open("a", newline="") as file:
        while not ended.wait(SAMPLE_S):
            rows = csv.writer(file)
            pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
            done = json.loads(summary.read_text())["items"] if summary.exists() else []
            completed = sum(item["state"] in ("completed", "skipped") for item in done)
            rows.writerow([round(time.time(), 1), completed, round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)])
            file.flush()


def told(folder: Path, home: Path, wall_s: float) -> str:
    """The figures, as Markdown; times are of the dubs that this run has made."""
    summary = BatchSummary.model_validate_json((folder / "out" / "summary.json").read_bytes())
    made = [item for item in summary.items if item.state == "completed"]
    receipts = [receipt_beside(Path(str(item.report))) for item in made]
    stages_s = [sum(receipt.stage_wall_s.values()) for receipt in receipts]
    first, others = split_by_video(receipts)
    with (folder / "memory.csv").open(newline="") as file:
        memory_mb = [float(row[2]) for row in csv.reader(file)]
    rows = {
        "dubs": summary.headline.partition(": ")[2],
        "wall time of this run": f"{wall_s:.0f} s, of which {wall_s - summary.seconds:.0f} s start and end it",
        "stages of a dub, median": f"{statistics.median(stages_s):.1f} s" if made else "none was made",
        "the rest, by dub": f"{(summary.seconds - sum(stages_s)) / len(summary.items):.2f} s",
        "a video's first language, CPU": shares(first),
        "its further languages, CPU": shares(others),
        "memory, begin / median / end": quarters(memory_mb),
        "catalogue": size(home / "catalogue.db"),
        "Prefect's database": size(home / "prefect" / "prefect.db"),
        "objects": size(home / "objects"),
    }
    head = f"“{SENTENCE}” into {', '.join(TRANSLATIONS)}; {os.cpu_count()} cores\n\n| | |\n|---|---|\n"
    return head + "".join(f"| {name} | {value} |\n" for name, value in rows.items())


def receipt_beside(report: Path) -> Receipt:
    """The receipt of the dub whose report this is."""
    return Receipt.model_validate_json(
        report.with_name(report.name.replace(".report.html", ".receipt.json")).read_bytes()
    )


def split_by_video(receipts: Sequence[Receipt]) -> tuple[list[Receipt], list[Receipt]]:
    """Dubs that took their video apart, and those that found that done."""
    first = [receipt for receipt in receipts if "separate" in receipt.stage_wall_s]
    return first, [receipt for receipt in receipts if "separate" not in receipt.stage_wall_s]


def shares(receipts: Sequence[Receipt]) -> str:
    """Mean CPU seconds of each stage, the longest first."""
    total: dict[str, float] = {}
    for receipt in receipts:
        for stage, cpu_s in receipt.stage_cpu_s.items():
            total[stage] = total.get(stage, 0.0) + cpu_s / len(receipts)
    longest = sorted(total.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{stage} {cpu_s:.1f} s" for stage, cpu_s in longest if cpu_s >= 0.05)


def quarters(memory_mb: Sequence[float]) -> str:
    """Memory in the first, the middle and the last of the run, without its start."""
    working = memory_mb[len(memory_mb) // 5 :]
    tenth = max(1, len(working) // 10)
    parts = (working[:tenth], working, working[-tenth:])
    return " / ".join(f"{statistics.median(part):.0f} MB" for part in parts)


def size(path: Path) -> str:
    """Of a file with what lies beside it under its name, or of a folder."""
    files = path.rglob("*") if path.is_dir() else path.parent.glob(path.name + "*")
    return f"{sum(file.stat().st_size for file in files if file.is_file()) / 1e6:.1f} MB"


if __name__ == "__main__":
    main()
