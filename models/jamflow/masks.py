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

    def of(self, clips: Int[Tensor, " c"]) -> "Frames":
        """The frames of some of the clips."""
        return Frames(self.lengths[clips], self.padded)

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


def audio_mask(audio: Frames, motion: Frames, windows: Windows | None, dtype: torch.dtype) -> Float[Tensor, "b 1 n k"]:
    """Audio queries over [audio; motion]: all of the sound, and of the motion the frame at the same time.

    The motion frame of mel frame p is floor((p + 1/2) M / A), in whole numbers, which have no rounding.
    """
    if windows is None:
        return _pooled(audio, motion, None, None, dtype)
    p, j = (torch.arange(size, device=audio.lengths.device) for size in (audio.padded, motion.padded))
    at = (2 * p + 1) * motion.lengths[:, None] // (2 * audio.lengths[:, None].clamp(min=1))  # [b, n]
    return _pooled(audio, motion, None, (j - at[..., None]).abs() <= windows.audio_to_motion_frames, dtype)


def motion_mask(motion: Frames, audio: Frames, windows: Windows | None, dtype: torch.dtype) -> Float[Tensor, "b 1 n k"]:
    """Motion queries over [motion; audio]: local windows around the same time in both."""
    if windows is None:
        return _pooled(motion, audio, None, None, dtype)
    durations_s = audio.lengths / FRAME_RATE_HZ
    own_s, other_s = motion.centres_s(durations_s), audio.centres_s(durations_s)
    near_own = _within(own_s, own_s, windows.motion_to_motion_s)
    near_other = _within(own_s, other_s, windows.motion_to_audio_s)
    return _pooled(motion, audio, near_own, near_other, dtype)


def balanced(mask: Float[Tensor, "b 1 n k"], own_frames: int) -> Float[Tensor, "b 1 n k"]:
    """Lift the keys of the other stream, those after `own_frames`, so that they weigh together as much as the own.

    A query that sees a own keys and o others finds exp(log(a / o)) times the weight in each of the others.
    """
    seen = mask.isfinite()
    own, other = seen[..., :own_frames].sum(-1, keepdim=True), seen[..., own_frames:].sum(-1, keepdim=True)
    lift = (own.clamp(min=1) / other.clamp(min=1)).log().to(mask.dtype)
    return torch.cat([mask[..., :own_frames], mask[..., own_frames:] + lift], dim=-1)


def _within(queries_s: Float[Tensor, "b n"], keys_s: Float[Tensor, "b m"], reach_s: float) -> Bool[Tensor, "b n m"]:
    return (queries_s[:, :, None] - keys_s[:, None]).abs() <= reach_s + _TOLERANCE_S


def _pooled(
    own: Frames,
    other: Frames,
    near_own: Bool[Tensor, "b n n"] | None,
    near_other: Bool[Tensor, "b n m"] | None,
    dtype: torch.dtype,
) -> Float[Tensor, "b 1 n k"]:
    """Over the keys of [own; other]: those that are no padding and, where a window is given, near."""
    own_keys, other_keys = (stream.valid[:, None].expand(-1, own.padded, -1) for stream in (own, other))
    own_keys = own_keys if near_own is None else own_keys & near_own
    other_keys = other_keys if near_other is None else other_keys & near_other
    return additive(torch.cat([own_keys, other_keys], dim=-1), dtype)


def additive(seen: Bool[Tensor, "b n k"], dtype: torch.dtype) -> Float[Tensor, "b 1 n k"]:
    """Turn it into a mask; a query that would see nothing sees everything, as softmax has no answer to nothing."""
    seen = seen | ~seen.any(dim=-1, keepdim=True)
    return torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill(~seen, -torch.inf)[:, None]
