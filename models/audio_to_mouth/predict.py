"""Predict what a mouth does from what is heard. Letters: n samples, t mel frames, k motion frames at 25 Hz."""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from models.audio_to_mouth.features import FRAME_RATE_HZ, mel_features
from models.facemesh.space import FPS, space
from models.motion import Motion
from schemas.errors import WeightsError

if TYPE_CHECKING:
    from models.audio_to_mouth.network import MouthRegressor

CONTEXT_FRAMES = 60  # mel frames held before and after the sound
MEL_PER_MOUTH = round(FRAME_RATE_HZ / FPS)
_SILENT_DB = -40.0  # of the loudest 40 ms
_REACH_S = 0.20  # a mouth opens before it is heard, and closes after
_CLOSING_FRAMES = 3


@dataclass(frozen=True)
class Regressor:
    """The trained network, the scale of its output [12] each, and the closed mouth of its speaker [12]."""

    network: "MouthRegressor"
    mean: np.ndarray
    std: np.ndarray
    neutral: np.ndarray


def predict_mouth(samples: np.ndarray, sample_rate_hz: int) -> Motion:
    """Predict the mouth of mono speech [n]: k = round(25 · seconds) frames, at least one; frame i lies at i / 25 s.

    Where nothing is heard for more than 0.2 s to either side the mouth is at its closed rest.

    Raises:
        WeightsError: the packaged weights are missing or damaged.
    """
    regressor = load_regressor()
    count = max(1, round(len(samples) / sample_rate_hz * FPS))
    mel = fit_length(mel_features(samples, sample_rate_hz), count * MEL_PER_MOUTH)
    spoken = run(regressor.network, mel) * regressor.std + regressor.mean
    open_share = _heard(samples, sample_rate_hz, count)[:, None]
    mouth = open_share * spoken + (1.0 - open_share) * regressor.neutral
    return Motion(
        space=space(),
        mouth=mouth.astype(np.float32),
        rest=np.zeros((count, 0), np.float32),
        visible=np.ones(count, np.float32),
    )


def neutral() -> np.ndarray:
    """Return the closed mouth at rest of the speaker the network was trained on [12], for retargeting."""
    return load_regressor().neutral.copy()


@lru_cache(maxsize=1)
def load_regressor() -> Regressor:
    """Read the packaged weights once per process."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    from models.audio_to_mouth.network import MouthRegressor, RegressorConfig

    folder = resources.files("models.audio_to_mouth")
    try:
        record = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        network = MouthRegressor(RegressorConfig.from_json(record["network"]))
        weights = load((folder / "weights.safetensors").read_bytes())
        network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{folder} does not hold the mouth regressor ({reason}): restore it from git") from error
    network.eval()
    mean, std, closed = (np.array(record[name]) for name in ("mean", "std", "neutral"))
    return Regressor(network, mean, std, closed)


def run(network: "MouthRegressor", mel: np.ndarray) -> np.ndarray:
    """Z-scored mouth numbers [k, 12] of mel frames [4k, 32]."""
    import torch

    network.eval()
    with torch.inference_mode():
        z: np.ndarray = network(torch.from_numpy(with_context(mel)[None]))[0].numpy()
    held = CONTEXT_FRAMES // MEL_PER_MOUTH
    return z[held : len(z) - held]


def with_context(mel: np.ndarray) -> np.ndarray:
    """Hold the first and the last frame of [t, b]: speech is surrounded by what it begins and ends with."""
    return np.pad(mel, ((CONTEXT_FRAMES, CONTEXT_FRAMES), (0, 0)), mode="edge")


def fit_length(frames: np.ndarray, length: int) -> np.ndarray:
    """Cut [t, ...] to a length, or hold its last frame."""
    held = np.repeat(frames[-1:], max(0, length - len(frames)), axis=0)
    return np.concatenate([frames, held])[:length]


def _heard(samples: np.ndarray, sample_rate_hz: int, count: int) -> np.ndarray:
    """How much each motion frame is near speech [k]: 1 within 0.2 s of it, falling to 0 over three frames."""
    edges = np.minimum(np.arange(count + 1) * sample_rate_hz / FPS, len(samples)).astype(int)
    power = np.array([np.mean(samples[a:b] ** 2) if b > a else 0.0 for a, b in pairwise(edges)])
    loud = power > max(float(power.max()) * 10 ** (_SILENT_DB / 10), 1e-10)
    if not loud.any():
        return np.zeros(count)
    distance = np.abs(np.arange(count)[:, None] - np.flatnonzero(loud)[None]).min(axis=1)
    return np.clip(1.0 - (distance - _REACH_S * FPS) / _CLOSING_FRAMES, 0.0, 1.0)
