"""Who attends to whom. Letters: b clips, n queries of the own stream, m frames of the other, k keys.

Masks are added to attention logits: 0 where a query sees a key, -inf where it does not.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from models.jamflow.config import FRAME_RATE_HZ, Windows

_TOLERANCE_S = 1e-6


@dataclass(frozen=True)
class Frames:
    """The frames of one stream: `lengths` [b] of `padded` are real."""

    lengths: Int[Tensor, " b"]
    padded: int

    @property
    def valid(self) -> Bool[Tensor, "b n"]:
        return torch.arange(self.padded, device=self.lengths.device) < self.lengths[:, None]

    @property
    def has_padding(self) -> bool:
        return bool((self.lengths < self.padded).any())

    def centres_s(self, durations_s: Float[Tensor, " b"]) -> Float[Tensor, "b n"]:
        """When the middle of each frame is, where a stream fills its clip's duration."""
        steps = durations_s / self.lengths.clamp(min=1)
        return (torch.arange(self.padded, device=self.lengths.device) + 0.5) * steps[:, None]


def key_mask(frames: Frames, dtype: torch.dtype) -> Float[Tensor, "b 1 1 n"] | None:
    """Plain self-attention within a clip; None where nothing is padded."""
    return additive(frames.valid[:, None], dtype) if frames.has_padding else None


def audio_mask(
    audio: Frames, motion: Frames, listens: Bool[Tensor, " b"], windows: Windows | None, dtype: torch.dtype
) -> Float[Tensor, "b 1 n k"]:
    """Audio queries over [audio; motion]: all of the sound, and of the motion the frame at the same time.

    The motion frame of mel frame p is floor((p + 1/2) M / A), in whole numbers, which have no rounding.
    """
    p, j = (torch.arange(size, device=listens.device) for size in (audio.padded, motion.padded))
    near = torch.ones(1, 1, 1, dtype=torch.bool, device=listens.device)
    if windows is not None:
        at = (2 * p + 1) * motion.lengths[:, None] // (2 * audio.lengths[:, None].clamp(min=1))  # [b, n]
        near = (j - at[..., None]).abs() <= windows.audio_to_motion_frames
    return _pooled(audio, motion, listens, None, near, dtype)


def motion_mask(
    motion: Frames, audio: Frames, listens: Bool[Tensor, " b"], windows: Windows | None, dtype: torch.dtype
) -> Float[Tensor, "b 1 n k"]:
    """Motion queries over [motion; audio]: local windows around the same time in both."""
    if windows is None:
        everything = torch.ones(1, 1, 1, dtype=torch.bool, device=listens.device)
        return _pooled(motion, audio, listens, None, everything, dtype)
    durations_s = audio.lengths / FRAME_RATE_HZ
    own_s, other_s = motion.centres_s(durations_s), audio.centres_s(durations_s)
    near_own = _within(own_s, own_s, windows.motion_to_motion_s)
    near_other = _within(own_s, other_s, windows.motion_to_audio_s)
    return _pooled(motion, audio, listens, near_own, near_other, dtype)


def _within(queries_s: Float[Tensor, "b n"], keys_s: Float[Tensor, "b m"], reach_s: float) -> Bool[Tensor, "b n m"]:
    return (queries_s[:, :, None] - keys_s[:, None]).abs() <= reach_s + _TOLERANCE_S


def _pooled(
    own: Frames,
    other: Frames,
    listens: Bool[Tensor, " b"],
    near_own: Bool[Tensor, "b n n"] | None,
    near_other: Bool[Tensor, "b n m"],
    dtype: torch.dtype,
) -> Float[Tensor, "b 1 n k"]:
    # A clip that does not listen, and a padded query, attend as in plain self-attention.
    is_plain = ~(listens[:, None] & own.valid)[..., None]
    own_keys = own.valid[:, None].expand(-1, own.padded, -1)
    if near_own is not None:
        own_keys = own_keys & (is_plain | near_own)
    other_keys = other.valid[:, None] & near_other & ~is_plain
    return additive(torch.cat([own_keys, other_keys], dim=-1), dtype)


def additive(seen: Bool[Tensor, "b n k"], dtype: torch.dtype) -> Float[Tensor, "b 1 n k"]:
    """Turn it into a mask; a query that would see nothing sees everything, as softmax has no answer to nothing."""
    seen = seen | ~seen.any(dim=-1, keepdim=True)
    return torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill(~seen, -torch.inf)[:, None]
