"""What the evaluator's network sees: two mel frames of 10 ms at a time. Letters: t mel frames at 100 Hz."""

import numpy as np

from models.audio_to_mouth.features import BANDS

STACKED = 2
INPUTS = STACKED * BANDS


def stacked(mel: np.ndarray) -> np.ndarray:
    """Put mel frames [t, 32] side by side in pairs [ceil(t / 2), 64]; an odd last frame is held."""
    even = np.pad(mel, ((0, len(mel) % STACKED), (0, 0)), mode="edge")
    return even.reshape(-1, INPUTS)
