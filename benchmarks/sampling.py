"""What steps and guidance of the sampler are worth: an evaluation of the packaged weights for each pair of them.

    python benchmarks/sampling.py CORPUS.jsonl --out DIR [--language en-GB] [--picture-late-s 0.04] [--clips 12]

Steps vary at guidance 2, guidance at 16 steps. A run that was cut goes on where it stopped.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from evaluated import Clips, evaluated, table, told

PAIRS = ((4, 2.0), (8, 2.0), (16, 2.0), (32, 2.0), (16, 0.0), (16, 1.0), (16, 3.0))
TRIALS = ("dub", "read", "revoice", "lipsync")
COLUMNS = {
    "word_accuracy": "words right",
    "boundary_median": "word edges, ms",
    "deviation": "warping deviation, ms",
    "aperture_r": "aperture r",
    "sync_r": "lips fit",
}
COST = "CPU s for a second"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--language", default="en-GB")
    parser.add_argument("--picture-late-s", type=float, default=0.04, help="GRID's")
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    clips = Clips(asked.corpus, asked.language, asked.picture_late_s, asked.clips)
    reports = {
        (steps, guidance): evaluated(
            clips, asked.out / f"{steps}-steps-guidance-{guidance:g}", TRIALS, steps=steps, guidance=guidance
        )
        for steps, guidance in PAIRS
    }
    lines = [
        [trial, f"{steps}", f"{guidance:g}", *_cells(rows[trial])]
        for trial in TRIALS
        for (steps, guidance), rows in reports.items()
    ]
    sys.stdout.write(table(["row", "steps", "guidance", *COLUMNS.values(), COST], lines))


def _cells(row: dict[str, Any]) -> list[str]:
    return [*(told(row, measure) for measure in COLUMNS), f"{row['seconds_per_second']:.2f}"]


if __name__ == "__main__":
    main()
