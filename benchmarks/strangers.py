"""A corpus for `jamdub evaluate`: films of people of whom nothing was learned, and a training voice to speak for them.

    python benchmarks/strangers.py MANIFEST.csv --out FOLDER [--longest-s 8.1]
    jamdub evaluate FOLDER/strangers.jsonl --out DIR --trial dub --trial read --trial revoice --trial lipsync

MANIFEST.csv lists clips (file, kind, duration_s, language, speakers); used are English talking heads of one speaker.
The text is what the recogniser hears in the recording, with its times, so the recording itself has no errors. All are
spoken in one packaged voice: `voice` of the report is its likeness to the person in the film, and says nothing.
"""

import argparse
import csv
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from models.audio_to_mouth.corpus import decode_audio
from models.dialogue.utterances import join_words
from models.performer.voice import LIST, VOICES
from models.weights.known import JAMFLOW_TINY, REPOSITORY_WEIGHTS
from schemas.settings import Settings
from tasks.transcribe import hear

LANGUAGE, VOICE = "en", "kumo-en"
KNOWN = "grid_"  # the training's own corpus


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--longest-s", type=float, default=8.1)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    lines = [_voice(asked.out)]
    with asked.manifest.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            if _is_used(row, asked.longest_s):
                lines.append(_film(asked.manifest.parent / row["file"], float(row["fps"]), asked.out))
                sys.stderr.write(f"{lines[-1]['id']}: {lines[-1]['text']}\n")
    index = asked.out / "strangers.jsonl"
    index.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    sys.stdout.write(f"{index}\n")


def _is_used(row: dict[str, str], longest_s: float) -> bool:
    is_english_head = (row["kind"], row["language"], row["speakers"]) == ("talking_head", LANGUAGE, "1")
    return is_english_head and not Path(row["file"]).name.startswith(KNOWN) and float(row["duration_s"]) <= longest_s


def _voice(out: Path) -> dict[str, Any]:
    folder = REPOSITORY_WEIGHTS / JAMFLOW_TINY / VOICES
    voices = json.loads((folder / LIST).read_text(encoding="utf-8"))
    chosen = next(voice for voice in voices if voice["name"] == VOICE)
    shutil.copy(folder / chosen["file"], out / chosen["file"])
    said = {"file": chosen["file"], "language": LANGUAGE, "text": chosen["text"], "phones": chosen["phones"]}
    return {"id": VOICE, "speaker": VOICE, "split": "train", **said}


def _film(path: Path, fps: float, out: Path) -> dict[str, Any]:
    shutil.copy(path, out / path.name)
    words = [
        {"word": word.text.strip(), "start_s": word.span.start_s, "end_s": word.span.end_s}
        for word in hear(*decode_audio(path), LANGUAGE, Settings()).words
    ]
    said = {"file": path.name, "fps": fps, "language": LANGUAGE, "text": join_words([word["word"] for word in words])}
    return {"id": path.stem, "speaker": VOICE, "split": "test", "words": words, **said}


if __name__ == "__main__":
    main()
