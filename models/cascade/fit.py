"""One phrase, said in as long as it may take: the voice's own speed first, then a little compression."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from media.stretch import time_stretch
from media.tools import Tools
from models.kokoro.network import SAMPLE_RATE_HZ, Blend, Kokoro
from models.kokoro.synthesis import speak_pieces
from models.kokoro.timing import timing

MOST_STRETCH = 1.08
_LEAST_STRETCH = 1.005  # what nobody hears is left undone
_LONGEST, _SHORTEST = 1.04, 0.94  # shares of the wanted length that need no second try


@dataclass(frozen=True)
class Fitted:
    """Trimmed speech [n] at 24 kHz, and what was done to it. `stretch` above 1 is compression."""

    samples: np.ndarray
    speed: float
    stretch: float

    @property
    def duration_s(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ


def fit(model: Kokoro, pieces: Sequence[str], blend: Blend, wanted_s: float, tools: Tools) -> Fitted:
    """Say phonemes in `wanted_s`, as near as 0.85 to 1.25 times the natural speed and 1.08 of compression get.

    The model's own durations choose the speed; only where they misjudged the silence at the ends is it said twice.
    """
    predicted = timing(model, pieces, blend)
    speed = predicted.speed_for(wanted_s)
    samples = speak_pieces(model, pieces, blend, speed)
    error_s = len(samples) / SAMPLE_RATE_HZ - predicted.duration_s(speed)
    better = predicted.speed_for(wanted_s - error_s)
    if not _SHORTEST <= len(samples) / SAMPLE_RATE_HZ / wanted_s <= _LONGEST and better != speed:
        speed = better
        samples = speak_pieces(model, pieces, blend, speed)
    return _compressed(samples, speed, wanted_s, tools)


def _compressed(samples: np.ndarray, speed: float, wanted_s: float, tools: Tools) -> Fitted:
    stretch = min(len(samples) / SAMPLE_RATE_HZ / wanted_s, MOST_STRETCH)
    if stretch < _LEAST_STRETCH:
        return Fitted(samples, speed, 1.0)
    return Fitted(time_stretch(samples, SAMPLE_RATE_HZ, 1 / stretch, tools), speed, stretch)
