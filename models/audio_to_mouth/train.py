"""Train the regressor on GRID: `python -m models.audio_to_mouth.train --corpus ../shared/corpus/grid_s1`.

Minutes on one CPU core. Writes weights.safetensors and config.json into --out. Letters: see network.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from models.audio_to_mouth.corpus import Clip, Pair, pair, read_corpus, varied_pair
from models.audio_to_mouth.features import BANDS
from models.audio_to_mouth.network import MouthRegressor, RegressorConfig
from models.audio_to_mouth.predict import CONTEXT_FRAMES, MEL_PER_MOUTH, fit_length, run, with_context
from models.facemesh.space import MOUTH_DIMS

RATES = (0.87, 1.15, 1.3, 1.45)
"""Pitch and formants of the voices made from the one speaker: 1 and these."""
_BATCH = 24
_PEAK_RATE = 2e-3
_LARGEST_SHIFT = 2.5  # bands
_CONTRAST = (0.8, 1.2)
_VELOCITY_WEIGHT = 1.0
_APERTURE_WEIGHT = 3.0


@dataclass(frozen=True)
class Scale:
    """Mean and deviation of the mouth numbers over the training frames: [12] each."""

    mean: np.ndarray
    std: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.audio_to_mouth.train", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of the GRID clips")
    parser.add_argument("--landmarks", type=Path, help=".npz of {clip: landmarks}; empty: tracked here")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    clips = read_corpus(arguments.corpus, arguments.landmarks)
    train(clips, arguments.out, epochs=arguments.epochs, seed=arguments.seed)


def train(clips: list[Clip], out: Path, *, epochs: int, seed: int) -> dict[str, Any]:
    """Train, measure on the valid split, and write weights.safetensors and config.json."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    training = [clip for clip in clips if clip.split == "train"]
    pairs = [pair(clip) for clip in training] + [varied_pair(clip, rate, rng) for rate in RATES for clip in training]
    scale = _scale(pairs[: len(training)])
    config = RegressorConfig(bands=BANDS, outputs=len(MOUTH_DIMS))
    network = MouthRegressor(config)
    started = time.process_time()
    steps = _optimise(network, pairs, scale, epochs=epochs, rng=rng)
    measured = measure(network, scale, [pair(clip) for clip in clips if clip.split == "valid"])
    record: dict[str, Any] = {
        "network": config.as_json(),
        "mouth_dims": list(MOUTH_DIMS),
        "mean": scale.mean.tolist(),
        "std": scale.std.tolist(),
        "neutral": neutral_mouth(pairs[: len(training)]).tolist(),
        "trained": {"clips": len(training), "pairs": len(pairs), "epochs": epochs, "steps": steps, "seed": seed},
        "cpu_seconds": round(time.process_time() - started),
        "valid": measured,
    }
    save_file({name: tensor.half() for name, tensor in network.state_dict().items()}, out / "weights.safetensors")
    (out / "config.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return record


def neutral_mouth(pairs: list[Pair]) -> np.ndarray:
    """The speaker's closed mouth at rest: the median over the frames before he speaks [12]."""
    return np.median(np.concatenate([p.mouth[:6][p.counts[:6] > 0] for p in pairs]), axis=0)


def measure(network: MouthRegressor, scale: Scale, pairs: list[Pair]) -> dict[str, dict[str, float]]:
    """Return, per mouth number, the correlation r and mean absolute error, and the error of predicting the mean."""
    predicted = np.concatenate([predict(network, scale, p.mel) for p in pairs])
    wanted = np.concatenate([p.mouth for p in pairs])
    return {
        name: {
            "r": round(float(np.corrcoef(predicted[:, i], wanted[:, i])[0, 1]), 3),
            "mae": round(float(np.abs(predicted[:, i] - wanted[:, i]).mean()), 4),
            "mae_of_mean": round(float(np.abs(scale.mean[i] - wanted[:, i]).mean()), 4),
            "std_ratio": round(float(predicted[:, i].std() / wanted[:, i].std()), 3),
        }
        for i, name in enumerate(MOUTH_DIMS)
    }


def predict(network: MouthRegressor, scale: Scale, mel: np.ndarray) -> np.ndarray:
    """Mouth vectors [k, 12] of mel frames [4k, 32]."""
    return run(network, mel) * scale.std + scale.mean


def _scale(pairs: list[Pair]) -> Scale:
    mouth = np.concatenate([p.mouth[p.counts > 0] for p in pairs])
    return Scale(mouth.mean(axis=0), mouth.std(axis=0))


def _optimise(
    network: MouthRegressor, pairs: list[Pair], scale: Scale, *, epochs: int, rng: np.random.Generator
) -> int:
    steps = epochs * (len(pairs) // _BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=_PEAK_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _PEAK_RATE, total_steps=steps, pct_start=0.1)
    network.train()
    for _ in range(epochs):
        order = rng.permutation(len(pairs))
        for start in range(0, len(pairs) - _BATCH + 1, _BATCH):
            batch = [pairs[i] for i in order[start : start + _BATCH]]
            optimiser.zero_grad()
            _loss(network, batch, scale, rng).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    return steps


def _loss(network: MouthRegressor, batch: list[Pair], scale: Scale, rng: np.random.Generator) -> torch.Tensor:
    """Squared error of the z-scored numbers and of their change from frame to frame."""
    longest = max(len(p.mouth) for p in batch)
    mel = np.stack([fit_length(with_context(p.mel), MEL_PER_MOUTH * longest + 2 * CONTEXT_FRAMES) for p in batch])
    wanted = np.stack([fit_length((p.mouth - scale.mean) / scale.std, longest) for p in batch])
    counts = np.stack([np.pad(p.counts, (0, longest - len(p.counts))) for p in batch])
    held = CONTEXT_FRAMES // MEL_PER_MOUTH
    z = network(torch.from_numpy(_other_voices(mel, rng)))[:, held : held + longest]
    error = (z - torch.from_numpy(wanted.astype(np.float32))) * torch.from_numpy(counts.astype(np.float32))[:, :, None]
    weights = torch.ones(error.shape[2])
    weights[0] = _APERTURE_WEIGHT
    position = (error**2 * weights).mean()
    velocity = (torch.diff(error, dim=1) ** 2 * weights).mean()
    return position + _VELOCITY_WEIGHT * velocity


def _other_voices(mel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shift each example by up to 2.5 bands (vocal tracts of other lengths) and vary its contrast."""
    shifts = rng.uniform(-_LARGEST_SHIFT, _LARGEST_SHIFT, len(mel))[:, None]
    place = np.clip(np.arange(mel.shape[2]) + shifts, 0, mel.shape[2] - 1.001)
    low, share = place.astype(int), (place % 1.0)[:, None, :]
    below = np.take_along_axis(mel, low[:, None, :], axis=2)
    above = np.take_along_axis(mel, low[:, None, :] + 1, axis=2)
    contrast = rng.uniform(*_CONTRAST, len(mel))[:, None, None]
    return np.asarray(((1 - share) * below + share * above) * contrast, np.float32)


if __name__ == "__main__":
    main()
