"""Where the time of a dub goes: every stage's CPU seconds by second of video, cold, then the same request again.

    python benchmarks/stages.py VIDEO --to LANG [--script FILE] [--lips reanimate] [--from LANG] [--speakers N]

Stages that run side by side (faces beside the sound) share the process' clock: run with `taskset -c 0` to compare.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from media.probe import probe
from media.tools import find_tools


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        out = home / "out"
        command = [sys.executable, "-m", "flows.cli", "dub", *sys.argv[1:], "--out", str(out)]
        cold_s = _seconds(command, home)
        receipt = json.loads(next(out.glob("*.receipt.json")).read_text())
        warm_s = _seconds(command, home)
        duration_s = probe(Path(sys.argv[1]), find_tools()).duration_s
        sys.stdout.write(_table(receipt, duration_s, cold_s, warm_s))


def _seconds(command: list[str], home: Path) -> float:
    started = time.monotonic()
    subprocess.run(command, check=True, timeout=3600, env={**os.environ, "JAMDUB_HOME": str(home / "home")})
    return time.monotonic() - started


def _table(receipt: dict, duration_s: float, cold_s: float, warm_s: float) -> str:
    samples = receipt["measures"]["source_samples"]
    frames = receipt["measures"]["source_frames"]
    rows = [
        f"| {stage} | {wall:.1f} | {receipt['stage_cpu_s'][stage] / duration_s:.2f} |"
        for stage, wall in receipt["stage_wall_s"].items()
    ]
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    what = f"{samples} samples, {frames} frames, {duration_s:.2f} s"
    head = f"{what}; cold {cold_s:.0f} s, again {warm_s:.0f} s, peak {peak_mb:.0f} MB"
    return "\n".join([head, "| stage | wall s | CPU s / s of video |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    main()
