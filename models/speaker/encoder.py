"""Speaker embeddings (d-vectors) of the packaged ONNX encoder, and how near two of them are."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.speaker.mel import SAMPLE_RATE_HZ, log_mel

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

DIMENSION = 256
_WINDOW_FRAMES = 80
_HOP_FRAMES = 40
_SHORTEST_SAMPLES = SAMPLE_RATE_HZ


def embed(samples_16k: np.ndarray, *, encoder: Path, threads: int = 1) -> np.ndarray:
    """Embed a voice: the mean of unit vectors of 0.8 s windows, of unit length, [256] float32.

    Less than a second is repeated to a second; a d-vector of so little speech is weak.
    """
    if len(samples_16k) == 0:
        raise ValueError("a voice cannot be embedded from no samples")
    if len(samples_16k) < _SHORTEST_SAMPLES:
        samples_16k = np.pad(samples_16k, (0, _SHORTEST_SAMPLES - len(samples_16k)), mode="wrap")
    windows = mel_windows(log_mel(samples_16k))
    return unit(embed_windows(windows, encoder=encoder, threads=threads).mean(axis=0))


def mel_windows(frames: np.ndarray) -> np.ndarray:
    """Cut log-mel frames [t, 40] (t >= 80) into half-overlapping windows [w, 80, 40]."""
    starts = range(0, len(frames) - _WINDOW_FRAMES + 1, _HOP_FRAMES)
    return np.stack([frames[start : start + _WINDOW_FRAMES] for start in starts])


def embed_windows(windows: np.ndarray, *, encoder: Path, threads: int = 1) -> np.ndarray:
    """Embed log-mel windows [w, 80, 40] each on its own: unit vectors [w, 256]."""
    vectors = _session(encoder, threads).run(None, {"mel_window": windows.astype(np.float32)})[0]
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def unit(vector: np.ndarray) -> np.ndarray:
    """Scale to length 1; a zero vector stays zero."""
    return (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine of the angle between two vectors, -1 to 1; 0 where one of them is zero."""
    return float(np.clip(np.dot(unit(a), unit(b)), -1.0, 1.0))


@lru_cache(maxsize=2)
def _session(encoder: Path, threads: int) -> "InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(encoder), sess_options=options, providers=["CPUExecutionProvider"])
