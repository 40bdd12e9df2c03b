"""What the paper's choices are worth, at small equal budgets: a training and an evaluation for each variant.

    python benchmarks/ablations.py CONFIG.toml CORPUS.jsonl --weights FOLDER --steps 400 --clips 12 --out DIR

`CONFIG.toml` is a training whose features are prepared; `FOLDER` gives vocoder and timing, equal for all. A run that
was cut goes on where it stopped. The last two variants begin with the sound of "none", after as many steps of its own.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.jamflow.checkpoint import load_checkpoint, save_checkpoint
from models.jamflow.config import COUPLING
from models.jamflow.joint import JamFlow
from schemas.training import Card, Training
from tasks.train_clips import prepare_features
from tasks.train_config import read_training
from tasks.train_export import export_joint
from tasks.train_networks import teach_joint

SIZES: dict[str, dict[str, Any]] = {
    "half": {},
    "full": {"joint": "full"},
    "none": {"joint": "none"},
    "half, no masks": {"masks": False},
    "half, rotary not aligned": {"aligns_rotary": False},
}
STARTED = {"sound first, then half": False, "sound first, then half, sound frozen": True}
TRIALS = ("dub-even", "read", "revoice", "lipsync")
COLUMNS = {
    "dub-even": ("deviation", "boundary_median", "word_accuracy"),
    "revoice": ("deviation", "word_accuracy"),
    "read": ("word_accuracy",),
    "lipsync": ("aperture_r",),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    base = read_training(asked.config)
    assert base.joint is not None and base.size is not None
    card = Card(name="jamflow-tiny", licence="none", commercial_use=False, origin="an ablation", precision="float32")
    joint = base.joint.model_copy(update={"steps": asked.steps})
    base = base.model_copy(update={"joint": joint, "export": card, "motion": None})
    files = prepare_features(base.features, ())
    rows = {}
    for name, changed in SIZES.items():
        size = base.size.model_copy(update=changed)
        rows[name] = _row(name, base.model_copy(update={"size": size}), files, asked)
    start = _started(asked.out / "none" / "export", asked.out / "start")
    for name, is_frozen in STARTED.items():
        course = joint.model_copy(update={"start": start, "freezes_audio": is_frozen})
        rows[name] = _row(name, base.model_copy(update={"size": None, "joint": course}), files, asked)
    sys.stdout.write(_table(rows))


def _row(name: str, config: Training, files: tuple[Path, ...], asked: argparse.Namespace) -> dict[str, Any]:
    """Train one variant, and measure it."""
    folder = asked.out / name.replace(", ", "-").replace(" ", "-")
    config = config.model_copy(update={"out": folder})
    if not (folder / "export").is_dir():
        teach_joint(config, files)
        export_joint.fn(config, asked.weights / "vocoder", asked.weights / "timing")
    models = folder / "models"
    shutil.rmtree(models, ignore_errors=True)
    shutil.copytree(folder / "export", models / "jamflow-tiny")
    command = [sys.executable, "-m", "flows.cli", "evaluate", str(asked.corpus), "--language", "en-GB", "--steps", "8"]
    command += ["--clips", str(asked.clips), "--out", str(folder / "evaluation")]
    command += [part for trial in TRIALS for part in ("--trial", trial)]
    subprocess.run(command, check=True, timeout=7200, env={**os.environ, "JAMDUB_MODELS_DIR": str(models)})
    report = json.loads((folder / "evaluation" / "report.json").read_text(encoding="utf-8"))
    return {row["name"]: row["measures"] for row in report["rows"]}


def _started(source: Path, folder: Path) -> Path:
    """The weights of "none" as a joint model behind gates that start at zero: its sound is unchanged."""
    if not folder.is_dir():
        loaded = load_checkpoint(source)
        coupling = replace(COUPLING, balances_streams=True)
        model = JamFlow(replace(loaded.model.config, coupling=coupling))
        model.load_state_dict(loaded.model.state_dict(), strict=False)  # the gates are new
        save_checkpoint(folder, model, loaded.vocabulary, loaded.description)
    return folder


def _table(rows: dict[str, Any]) -> str:
    columns = [(trial, measure) for trial, measures in COLUMNS.items() for measure in measures]
    lines = ["| variant | " + " | ".join(f"{trial}: {measure}" for trial, measure in columns) + " |"]
    lines.append("|---" * (1 + len(columns)) + "|")
    for name, row in rows.items():
        values = [f"{row[trial][measure]['mean']:.3g}" for trial, measure in columns]
        lines.append(f"| {name} | " + " | ".join(values) + " |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
