"""Sound and motion of one clip on one clock. Letters: m motion frames, c numbers a frame.

The paper's first failure case: when the two streams do not last equally long, positions that are aligned by the
ratio of the lengths would stretch one of them. Here a difference is absorbed frame by frame, or refused.
"""

from fractions import Fraction

import torch
from jaxtyping import Shaped
from torch import Tensor

from models.jamflow.config import FRAME_RATE_HZ
from schemas.errors import LengthMismatch

TOLERANCE_FRAMES = 2
"""Of motion: one for the rounding of both lengths, one for what codecs add or cut (80 ms at 25 fps)."""

_LARGEST_DENOMINATOR = 1001


def motion_frames_of(mel_frames: int, mel_per_motion: float) -> int:
    """How many motion frames last as long as `mel_frames`."""
    return round(mel_frames / mel_per_motion)


def mel_frames_of(motion_frames: int, mel_per_motion: float) -> int:
    """How many mel frames last as long as `motion_frames`."""
    return round(motion_frames * mel_per_motion)


def common_period(mel_per_motion: float) -> int:
    """The least number of mel frames that is a whole number of motion frames: 15 at 25 fps."""
    return Fraction(mel_per_motion).limit_denominator(_LARGEST_DENOMINATOR).numerator


def fitted(motion: Shaped[Tensor, "m ..."], mel_frames: int, mel_per_motion: float) -> Shaped[Tensor, "m1 ..."]:
    """Motion as long as a sound: frames too many are cut from the end, the last frame is held for those missing.

    Raises:
        LengthMismatch: The lengths differ by more than `TOLERANCE_FRAMES`.
    """
    wanted, there = motion_frames_of(mel_frames, mel_per_motion), len(motion)
    if abs(wanted - there) > TOLERANCE_FRAMES or not there:
        sound_s, motion_s = mel_frames / FRAME_RATE_HZ, there * mel_per_motion / FRAME_RATE_HZ
        raise LengthMismatch(
            f"the sound lasts {sound_s:.2f} s and the motion {motion_s:.2f} s ({there} frames, {wanted} expected): "
            f"cut both to the same span of the video (up to {TOLERANCE_FRAMES} frames of difference are absorbed)"
        )
    held = motion[-1:].expand(max(0, wanted - there), *motion.shape[1:])
    return torch.cat([motion[:wanted], held])
