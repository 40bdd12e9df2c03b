"""Where phones lie on the frames: as they were said, a little off, or spread evenly. Letters: k phones, n frames.

A model that always saw true times would believe any; one that saw them disturbed learns to correct them by what the
mouth does and the sound around.
"""

from collections.abc import Sequence

import numpy as np

from models.corpus.phones import PAUSE, phone_vocabulary


def frame_ids(phones: np.ndarray, edges_s: np.ndarray, frames: int, rate_hz: float) -> np.ndarray:
    """The phone [n] at the middle of each frame; the first and the last one are held beyond their ends."""
    middles_s = (np.arange(frames) + 0.5) / rate_hz
    return np.asarray(phones[np.clip(np.searchsorted(edges_s, middles_s, side="right") - 1, 0, len(phones) - 1)])


def jittered(edges_s: np.ndarray, spread: float, rng: np.random.Generator) -> np.ndarray:
    """Stretch and shrink every phone by chance, log-normally by `spread`; both ends stay where they are."""
    durations_s = np.diff(edges_s) * np.exp(spread * rng.standard_normal(len(edges_s) - 1))
    scale = (edges_s[-1] - edges_s[0]) / durations_s.sum()
    return np.concatenate([edges_s[:1], edges_s[0] + scale * np.cumsum(durations_s)])


def evenly(phones: np.ndarray, edges_s: np.ndarray) -> np.ndarray:
    """Give all phones between the first and the last pause the same time (F5-TTS, which knows no more)."""
    first, last = spoken(phones)
    edges = edges_s.copy()
    edges[first : last + 1] = np.linspace(edges_s[first], edges_s[last], last - first + 1)
    return edges


def spoken(phones: np.ndarray | Sequence[int]) -> tuple[int, int]:
    """The places [first, last) of the phones between the pauses at either end; all, where there are only pauses."""
    pause = phone_vocabulary().ids([PAUSE])[0]
    voiced = np.flatnonzero(np.asarray(phones) != pause)
    return (int(voiced[0]), int(voiced[-1]) + 1) if len(voiced) else (0, len(phones))
