"""The packaged joint model, its vocoder and its timing, loaded once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.corpus.phones import TimedPhone
from models.corpus.spelling import weight
from models.jamflow.checkpoint import Loaded, load_checkpoint
from models.jamflow.generate import Decode
from models.jamflow.vocoder import load_vocoder
from models.motion import Motion
from models.performer.timeline import Durations
from models.timing.durations import load_durations
from models.timing.mouth import MouthTiming, load_mouth_timing

VOCODER, TIMING, DURATIONS, MOUTH = "vocoder", "timing", "durations.safetensors", "mouth"
_PLAIN_CONSONANT_S = 0.07


@dataclass(frozen=True)
class Engine:
    """All that a performance computes with.

    Attributes:
        joint: The joint model.
        decode: Mel frames to sound.
        durations: How long phones naturally are.
        mouth: Where a mouth says them; None for weights that bring no reader of mouths.
    """

    joint: Loaded
    decode: Decode
    durations: Durations
    mouth: MouthTiming | None = None

    def followed(self, phones: tuple[TimedPhone, ...], motion: Motion) -> tuple[TimedPhone, ...]:
        """Move phones to where a mouth, seen from their start to their end, says them; as they are without a reader."""
        if self.mouth is None:
            return phones
        return self.mouth.follow(phones, motion.z_scored()[0])


def load_engine(folder: Path) -> Engine:
    """Load a folder of a joint checkpoint with its `vocoder/` and, where it was trained with one, its `timing/`.

    Raises:
        WeightsError: Something of it is missing, altered, or of another version.
    """
    timing = folder / TIMING
    durations, mouth = load_timing(timing) if timing.is_dir() else (usual_durations, None)
    return Engine(load_checkpoint(folder), load_vocoder(folder / VOCODER).decode, durations, mouth)


def load_timing(folder: Path) -> tuple[Durations, MouthTiming | None]:
    """Natural lengths of phones, and a reader of mouths, where faces taught one. Raises: WeightsError, as above."""
    mouth = folder / MOUTH
    return load_durations(folder / DURATIONS), load_mouth_timing(mouth) if mouth.is_dir() else None


def usual_durations(phones: Sequence[str]) -> np.ndarray:
    """Lengths by the kind of phone alone."""
    return np.array([_PLAIN_CONSONANT_S * weight(phone) for phone in phones])
