"""What the paper's choices are worth, at small equal budgets: a training and an evaluation for each variant.

    python benchmarks/ablations.py CONFIG.toml CORPUS.jsonl --weights FOLDER --out DIR
        [--steps 400] [--frames 1150] [--clips 12]

`CONFIG.toml` is a training whose features are prepared; `FOLDER` gives vocoder and timing, equal for all. A run that
was cut goes on where it stopped. The last two variants begin with the sound of "none", after as many steps of its own.
Losses are means over the last quarter of the steps, whose clips, noise and hidden spans are the same in all variants.
"""

import argparse
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

from evaluated import Clips, evaluated, table, told

from models.jamflow.checkpoint import load_checkpoint, save_checkpoint
from models.jamflow.config import COUPLING
from models.jamflow.joint import JamFlow
from models.training.journal import METRICS_FILE
from schemas.training import Card, Training
from tasks.train_clips import prepare_features
from tasks.train_config import read_training
from tasks.train_export import export_joint
from tasks.train_networks import JOINT, teach_joint

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
LOSSES = {"audio_loss_of_faces": "loss of sound", "motion_loss": "loss of mouth"}
SAMPLER_STEPS, GUIDANCE = 8, 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--frames", type=int, default=1150, help="mel frames of a batch")
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    base = read_training(asked.config)
    assert base.joint is not None and base.size is not None
    card = Card(name="jamflow-tiny", licence="none", commercial_use=False, origin="an ablation", precision="float32")
    joint = base.joint.model_copy(update={"steps": asked.steps, "frames": asked.frames})
    base = base.model_copy(update={"joint": joint, "export": card, "motion": None})
    files = prepare_features.fn(base.features, ())
    rows = {}
    for name, changed in SIZES.items():
        size = base.size.model_copy(update=changed)
        rows[name] = _row(name, base.model_copy(update={"size": size}), files, asked)
    start = _started(asked.out / "none" / "export", asked.out / "start")
    for name, is_frozen in STARTED.items():
        course = joint.model_copy(update={"start": start, "freezes_audio": is_frozen})
        rows[name] = _row(name, base.model_copy(update={"size": None, "joint": course}), files, asked)
    columns = [(trial, measure) for trial, measures in COLUMNS.items() for measure in measures]
    head = ["variant", *LOSSES.values(), *(f"{trial}: {measure}" for trial, measure in columns)]
    lines = [
        [name, *_losses(row[JOINT], asked.steps // 4), *(told(row[trial], measure) for trial, measure in columns)]
        for name, row in rows.items()
    ]
    sys.stdout.write(table(head, lines))


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
    late_s = config.features.corpora[0].picture_late_s or 0.0
    clips = Clips(asked.corpus, "en-GB", late_s, asked.clips, models)
    rows = evaluated(clips, folder / "evaluation", TRIALS, steps=SAMPLER_STEPS, guidance=GUIDANCE)
    return {**rows, JOINT: folder / JOINT / METRICS_FILE}


def _losses(metrics: Path, last: int) -> list[str]:
    """Means of the last steps' losses."""
    steps = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()][-last:]
    return [f"{mean(step[name] for step in steps if name in step):.3f}" for name in LOSSES]


def _started(source: Path, folder: Path) -> Path:
    """The weights of "none" as a joint model behind gates that start at zero: its sound is unchanged."""
    if not folder.is_dir():
        loaded = load_checkpoint(source)
        coupling = replace(COUPLING, balances_streams=True)
        model = JamFlow(replace(loaded.model.config, coupling=coupling))
        model.load_state_dict(loaded.model.state_dict(), strict=False)  # the gates are new
        save_checkpoint(folder, model, loaded.vocabulary, loaded.description)
    return folder


if __name__ == "__main__":
    main()
