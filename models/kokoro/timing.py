"""How long a text will take to say, before it is said: Kokoro's own durations, exact but for the silence trimmed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.kokoro.network import FRAME_SAMPLES, SAMPLE_RATE_HZ, Blend, Kokoro

SLOWEST, FASTEST = 0.85, 1.25
PIECE_GAP_S = 0.25
_STEPS = 41
_TAIL_TOKENS = 3  # the last sound, its punctuation, the padding: they end in silence
_LONGEST_FITTED = 80


@dataclass(frozen=True)
class Timing:
    """The natural length of each token, for each piece of one text: [k] frames each, not rounded."""

    natural_frames: tuple[np.ndarray, ...]

    def duration_s(self, speed: float) -> float:
        """Predict the length of the trimmed speech (sd 35 ms a piece)."""
        gaps_s = (len(self.natural_frames) - 1) * PIECE_GAP_S / speed
        return gaps_s + sum(_speech_s(frames, speed) for frames in self.natural_frames)

    def speed_for(self, duration_s: float) -> float:
        """Choose the speed, from 0.85 to 1.25, at which the speech comes nearest to a length."""
        speeds = np.linspace(SLOWEST, FASTEST, _STEPS)
        errors = [abs(self.duration_s(float(speed)) - duration_s) for speed in speeds]
        return round(float(speeds[int(np.argmin(errors))]), 2)


def timing(model: Kokoro, pieces: Sequence[str], blend: Blend) -> Timing:
    """Predict the timing of phonemes, given in pieces that the model takes at once."""
    return Timing(tuple(model.natural_frames(piece, blend) for piece in pieces))


def _speech_s(natural_frames: np.ndarray, speed: float) -> float:
    frames = np.maximum(1, np.round(natural_frames / speed))
    ends = frames[0] + frames[-_TAIL_TOKENS:].sum()
    heard = max(1.0, float(frames.sum() - ends) + _heard_frames(len(frames), speed))
    return heard * FRAME_SAMPLES / SAMPLE_RATE_HZ


def _heard_frames(tokens: int, speed: float) -> float:
    """How much of the first token and the last three is speech: fitted to 39 takes, en and es, 3 voices."""
    return 30.9 - 3.76 * math.log(min(tokens, _LONGEST_FITTED)) - 13.06 * speed
