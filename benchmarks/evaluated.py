"""`jamdub evaluate` as the other benchmarks run it: a folder for each evaluation, which goes on where it stopped."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Clips:
    """The first `count` clips of the test split of a corpus, and the folder of the weights that perform them.

    `picture_late_s`: of its films (models.corpus.manifest). `models`: in place of the weights of the repository.
    """

    corpus: Path
    language: str
    picture_late_s: float
    count: int
    models: Path | None = None


def evaluated(clips: Clips, out: Path, trials: Sequence[str], *, steps: int, guidance: float) -> dict[str, Any]:
    """Rows of the report by the trial's name.

    Raises: subprocess.CalledProcessError, where the command fails; it has said why.
    """
    command = [sys.executable, "-m", "flows.cli", "evaluate", str(clips.corpus), "--language", clips.language]
    command += ["--picture-late-s", f"{clips.picture_late_s:g}"]
    command += ["--clips", str(clips.count), "--steps", str(steps), "--guidance", f"{guidance:g}", "--out", str(out)]
    command += [part for trial in trials for part in ("--trial", trial)]
    models = {} if clips.models is None else {"JAMDUB_MODELS_DIR": str(clips.models)}
    subprocess.run(command, check=True, stdout=sys.stderr, env={**os.environ, **models})
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return {row["name"]: row for row in report["rows"]}


def told(row: Mapping[str, Any], measure: str) -> str:
    """A cell: the mean and its interval, or nothing where the row has no such measure."""
    found = row["measures"].get(measure)
    return "" if found is None else "{mean:.3g} ({low:.3g} to {high:.3g})".format(**found)


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Cells as Markdown."""
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ["---"] * len(head), *lines))
