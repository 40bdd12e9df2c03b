"""Train the evaluator on GRID's train split: `python -m models.grid_words.train --corpus ../shared/corpus/grid_s1`.

Writes weights.safetensors and config.json into --out. Letters: see words.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.alignment.checkpoint import save_classifier
from models.alignment.network import FrameClassifier, FrameClassifierConfig
from models.audio_to_mouth.features import SAMPLE_RATE_HZ
from models.evaluation.boundaries import boundary_errors_ms, summarise_boundaries
from models.grid_words.corpus import Clip, read_corpus
from models.grid_words.frames import INPUTS, STACKED, stacked
from models.grid_words.grammar import CLASSES, WORDS
from models.grid_words.vary import Example, varied_example, vocoded
from models.grid_words.words import find, read, word_accuracy

CONFIG = FrameClassifierConfig(inputs=INPUTS, width=128, depth=6, classes=CLASSES, upsample=STACKED)
_BATCH = 16
_PEAK_RATE = 3e-3
_SMOOTHING = 0.05
_LENGTH_STEP = 32  # mel frames: few lengths of batches are faster than many
_UNKNOWN = -100  # of frames that only fill a batch


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.grid_words.train", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of the GRID clips")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    train(read_corpus(arguments.corpus), arguments.out, epochs=arguments.epochs, seed=arguments.seed)


def train(
    clips: Sequence[Clip], out: Path, *, epochs: int, seed: int, config: FrameClassifierConfig = CONFIG
) -> dict[str, Any]:
    """Train on the train split, measure on the others, and write weights.safetensors and config.json."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    started = time.process_time()
    training = [clip for clip in clips if clip.split == "train"]
    sources = training + [vocoded(clip, seed) for clip in training]
    network = FrameClassifier(config)
    steps = _optimise(network, sources, epochs=epochs, rng=rng)
    cpu_seconds = round(time.process_time() - started)
    record: dict[str, Any] = {
        "classes": ["", *WORDS],
        "trained": {"clips": len(training), "epochs": epochs, "steps": steps, "seed": seed},
        "cpu_seconds": cpu_seconds,
    }
    for split in ("valid", "test"):
        held_out = [clip for clip in clips if clip.split == split]
        record[split] = measure(network, held_out)
        record[f"{split}_vocoded"] = measure(network, [vocoded(clip, seed) for clip in held_out])
    save_classifier(network, record, out)
    return record


def measure(network: FrameClassifier, clips: Sequence[Clip]) -> dict[str, Any]:
    """Word accuracy, and the edges of words: those read, and those forced from the text, against the corpus' own."""
    if not clips:
        return {"clips": 0}
    said = [[word.text for word in clip.words] for clip in clips]
    true = [[word.span for word in clip.words] for clip in clips]
    heard = [read(network, clip.samples, SAMPLE_RATE_HZ).words for clip in clips]
    forced = [find(network, clip.samples, SAMPLE_RATE_HZ, text) for clip, text in zip(clips, said, strict=True)]
    accuracy = [word_accuracy([w.text for w in words], text) for words, text in zip(heard, said, strict=True)]
    errors_ms = np.concatenate([boundary_errors_ms(f, t) for f, t in zip(forced, true, strict=True)])
    read_ms = np.concatenate([boundary_errors_ms([w.span for w in h], t) for h, t in zip(heard, true, strict=True)])
    return {
        "clips": len(clips),
        "word_accuracy": round(float(np.mean(accuracy)), 4),
        "sentence_accuracy": round(float(np.mean([share == 1.0 for share in accuracy])), 4),
        "forced_edges": asdict(summarise_boundaries(errors_ms)) | {"bias_ms": round(float(np.median(errors_ms)), 1)},
        "read_edges": asdict(summarise_boundaries(read_ms)),
    }


def _optimise(network: FrameClassifier, sources: Sequence[Clip], *, epochs: int, rng: np.random.Generator) -> int:
    """Each epoch shows half of the sources, each varied anew."""
    batches = max(1, len(sources) // (2 * _BATCH))
    optimiser = torch.optim.AdamW(network.parameters(), lr=_PEAK_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _PEAK_RATE, total_steps=epochs * batches, pct_start=0.15)
    network.train()
    for _ in range(epochs):
        order = rng.permutation(len(sources))
        for batch in range(batches):
            shown = [varied_example(sources[i], rng) for i in order[batch * _BATCH : (batch + 1) * _BATCH]]
            optimiser.zero_grad()
            _loss(network, shown).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    return epochs * batches


def _loss(network: FrameClassifier, examples: Sequence[Example]) -> torch.Tensor:
    longest = max(len(example.mel) for example in examples)
    longest = -(-longest // _LENGTH_STEP) * _LENGTH_STEP
    # The last frame is held: a clip ends in silence, and zeros would be the mean of its speech.
    mel = [np.pad(e.mel, ((0, longest - len(e.mel)), (0, 0)), mode="edge") for e in examples]
    classes = np.stack([np.pad(e.classes, (0, longest - len(e.mel)), constant_values=_UNKNOWN) for e in examples])
    logits = network(torch.from_numpy(np.stack([stacked(frames) for frames in mel])))
    return torch.nn.functional.cross_entropy(
        logits.transpose(1, 2), torch.from_numpy(classes), ignore_index=_UNKNOWN, label_smoothing=_SMOOTHING
    )


if __name__ == "__main__":
    main()
