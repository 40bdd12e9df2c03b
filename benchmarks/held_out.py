"""A corpus for `jamdub evaluate`: sentences that no training voice read, spoken by Kokoro in the training voices.

    python benchmarks/held_out.py CONFIG.toml --out FOLDER [--minutes 2]
    jamdub evaluate FOLDER/kokoro.jsonl --out DIR --trial read --trial speak --trial speak-voice

Kept are sentences that the recogniser reads without an error from Kokoro itself: what it hears wrong of the joint model
is then the model's. Every voice has one sentence of its training as a reference.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from models.corpus.synthetic import Narrator, Utterance, synthesise
from models.evaluation.words import word_error_rate
from models.kokoro.network import SAMPLE_RATE_HZ
from models.weights.resolve import kokoro
from schemas.settings import Settings
from tasks.train_clips import held_out, narrators
from tasks.train_config import read_training
from tasks.transcribe import heard_text

_LETTERS = range(40, 90)
_MOMENT_H = 1e-6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=2.0)
    asked = parser.parse_args()
    settings, synthesis = Settings(), read_training(asked.config).synthesis
    assert synthesis is not None, "the configuration names the voices and the sentences"
    weights = kokoro(settings.cache_dir, settings.models_dir).path

    def is_read(said: Utterance, text: str, language: str) -> bool:
        heard = heard_text(said.samples, SAMPLE_RATE_HZ, language, settings)
        return word_error_rate(text, heard, language) == 0

    def speak(readers: list[Narrator], hours: float) -> Path:
        return synthesise(
            readers,
            asked.out,
            weights=weights,
            hours=hours,
            seed=1,
            threads=settings.threads,
            on_progress=_tell,
            keeps=is_read,
        )

    hours = 0.0
    for narrator in _chosen(
        narrators(synthesis.model_copy(update={"parts": 1}), 0)
    ):  # the first sentence of each that is kept
        hours = _hours(speak([narrator], hours + _MOMENT_H))
    sys.stdout.write(f"{speak(_chosen(held_out(synthesis)), hours + asked.minutes / 60)}\n")


def _tell(hours: float, wanted: float) -> None:
    sys.stderr.write(f"{60 * hours:.2f} of {60 * wanted:.2f} min\n")


def _hours(index: Path) -> float:
    lines = index.read_text(encoding="utf-8").splitlines()
    return sum(float(json.loads(line)["duration_s"]) for line in lines) / 3600


def _chosen(narrators: list[Narrator]) -> list[Narrator]:
    """Their sentences of a length that suits reference and recogniser; a voice is another speaker in each language."""
    return [
        replace(
            narrator,
            name=f"{narrator.name.rsplit('-', 1)[0]}-{narrator.language}-{narrator.split}",
            sentences=tuple(line for line in narrator.sentences if len(line) in _LETTERS),
        )
        for narrator in narrators
    ]


if __name__ == "__main__":
    main()
