"""Train the vocoder: `python -m models.vocos.train --config models/vocos/tiny.json --corpus CORPUS --out RUN`.

About an hour and a half on one CPU core. Started again with the same --out, it goes on. The folder holds checkpoints
and metrics.jsonl (`models.training.loop`), the decoded speech, and `export`, which `load_vocoder` reads.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from models.training.display import shown_progress
from models.training.loop import Progress, train
from models.vocos.config import VocosConfig, read_config
from models.vocos.corpora import held_out_speech, training_speech
from models.vocos.export import export_vocoder, read_record
from models.vocos.speech import build_bank
from models.vocos.trainee import HELD_OUT, VocosTrainee

EXPORT = "export"
_LICENCE = "Apache-2.0"
_ORIGIN = (
    "trained from scratch on GRID speaker 1 (CC BY 4.0), LJSpeech (public domain), LibriSpeech train-clean-100 "
    "(CC BY 4.0), and speech synthesised by Kokoro (Apache-2.0)"
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.vocos.train", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON file of the training")
    parser.add_argument("--corpus", type=Path, required=True, help="folder of grid_s1, ljspeech, librispeech")
    parser.add_argument("--synthetic", type=Path, nargs="*", default=(), help="folders of Kokoro's speech")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = read_config(arguments.config)
    with shown_progress("vocoder") as show:
        train_vocoder(
            config, corpus=arguments.corpus, synthetic=arguments.synthetic, out=arguments.out, on_progress=show
        )


def train_vocoder(
    config: VocosConfig, *, corpus: Path, synthetic: Sequence[Path], out: Path, on_progress: Callable[[Progress], None]
) -> Path:
    """Train, or go on; returns the folder that `load_vocoder` reads.

    The vocoder is exported while it trains, too: whenever its held-out errors are the least so far, and always once
    the discriminators have joined, for they improve what these errors do not see.

    Args:
        config: Of the training.
        corpus: Folder of the real corpora.
        synthetic: Folders of synthetic speech; what is in them at the start is used.
        out: Folder of the training.
        on_progress: Called after each step.

    Raises:
        RequestError: A corpus is missing, or the training diverges.
        WeightsError: Checkpoints are damaged, or the disk cannot be written.
        KeyboardInterrupt: Asked to stop.
    """
    bank = build_bank(out / "speech", training_speech(corpus, synthetic))
    held_out = build_bank(out / "held_out", held_out_speech(corpus))
    trainee = VocosTrainee(config, bank, held_out)
    exporter = _Exporter(trainee, config, out / EXPORT)

    def after_step(progress: Progress) -> None:
        on_progress(progress)
        exporter.after_step(progress)

    train(trainee, out, steps=config.steps, on_progress=after_step)
    return out / EXPORT


class _Exporter:
    """Exports the averaged weights where the step measured them."""

    def __init__(self, trainee: VocosTrainee, config: VocosConfig, folder: Path) -> None:
        self._trainee, self._config, self._folder = trainee, config, folder

    def after_step(self, progress: Progress) -> None:
        if HELD_OUT not in progress.metrics or not self._is_better(progress):
            return
        hours = round(progress.metrics["cpu_seconds"] / 3600, 3)
        record: dict[str, Any] = {
            "origin": _ORIGIN,
            "licence": _LICENCE,
            "step": progress.step,
            "cpu_hours": hours,
            HELD_OUT: progress.metrics[HELD_OUT],
            "config": self._config.model_dump(mode="json"),
        }
        export_vocoder(self._trainee.averaged(), self._config.sizes, self._folder, record)

    def _is_better(self, progress: Progress) -> bool:
        adversary = self._config.adversary
        if adversary is not None and progress.step > adversary.from_step:
            return True
        best: float | None = read_record(self._folder).get(HELD_OUT)
        return best is None or progress.metrics[HELD_OUT] < best


if __name__ == "__main__":
    main()
