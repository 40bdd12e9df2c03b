"""What is given of a batch of clips, and what the network makes of it once, before the solver's loop.

Letters: b clips, n mel frames, m motion frames, w width.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from models.jamflow.audio_dit import AudioGiven
from models.jamflow.motion_dit import MotionGiven
from models.jamflow.tokens import PADDING

T = TypeVar("T")
U = TypeVar("U")


class Pair(NamedTuple, Generic[T]):
    """The same thing of both streams; None where a stream is absent."""

    audio: T | None
    motion: T | None

    def map(self, function: Callable[[T], U]) -> "Pair[U]":
        """Apply a function to what is there."""
        return Pair(*(None if part is None else function(part) for part in self))


def each(function: Callable[..., U | None], *pairs: Pair[Any]) -> Pair[U]:
    """Apply a function to the audio parts and to the motion parts, where the first pair has them."""
    return Pair(*(None if parts[0] is None else function(*parts) for parts in zip(*pairs, strict=True)))


@dataclass(frozen=True)
class Given:
    """What is given of a batch of clips; None where no clip has the stream.

    Attributes:
        audio, motion: What is known and what is to be generated of each stream.
        audio_listens, motion_listens: [b] whether a clip's joint blocks let the stream see the other one
            (the flags alpha of the paper's Algorithm 2).
    """

    audio: AudioGiven | None
    motion: MotionGiven | None
    audio_listens: Bool[Tensor, " b"]
    motion_listens: Bool[Tensor, " b"]

    @property
    def streams(self) -> "Pair[Any]":
        """Both streams; they have `frames`, `known`, `clean` and `is_generated` in common."""
        return Pair(self.audio, self.motion)

    def to(self, device: torch.device) -> "Given":
        """The same on another device."""
        audio, motion = self.streams.map(lambda stream: _placed(stream, device))
        return Given(audio, motion, self.audio_listens.to(device), self.motion_listens.to(device))

    def without_conditions(self) -> "Given":
        """The null conditions of guidance: no text, nothing known, no joint access."""
        nothing = torch.zeros_like(self.audio_listens)
        audio = self.audio and replace(
            self.audio, known=torch.zeros_like(self.audio.known), has_text=torch.zeros_like(self.audio.has_text)
        )
        motion = self.motion and replace(
            self.motion,
            mouth_known=torch.zeros_like(self.motion.mouth_known),
            rest_known=torch.zeros_like(self.motion.rest_known),
            features_known=None,
        )
        return Given(audio, motion, nothing, nothing)


def _placed(stream: Any, device: torch.device) -> Any:
    columns = {field.name: getattr(stream, field.name) for field in fields(stream)}
    return replace(stream, **{name: part.to(device) for name, part in columns.items() if part is not None})


def stack(clips: Sequence[Given]) -> Given:
    """Make one batch of several: shorter clips are padded, clips without a stream have none of its frames."""
    return Given(
        _stacked([clip.audio for clip in clips]),
        _stacked([clip.motion for clip in clips]),
        torch.cat([clip.audio_listens for clip in clips]),
        torch.cat([clip.motion_listens for clip in clips]),
    )


def _stacked(streams: list[Any]) -> Any:
    present = next((stream for stream in streams if stream is not None), None)
    if present is None:
        return None
    columns = {}
    for field in fields(present):
        parts = [getattr(stream, field.name, None) for stream in streams]
        there = next((part for part in parts if part is not None), None)
        columns[field.name] = None if there is None else _padded(parts, there, PADDING if field.name == "tokens" else 0)
    return type(present)(**columns)


def _padded(parts: list[Tensor | None], like: Tensor, value: int) -> Tensor:
    """Join along the clips, filling axis 1 up to the longest; a part that is missing is a clip without frames."""
    nothing = like.new_zeros(1, *([0] if like.dim() > 1 else []), *like.shape[2:])
    there = [nothing if part is None else part for part in parts]
    if like.dim() == 1:
        return torch.cat(there)
    longest = max(part.shape[1] for part in there)
    joined = like.new_full((sum(len(part) for part in there), longest, *like.shape[2:]), value)
    row = 0
    for part in there:
        joined[row : row + len(part), : part.shape[1]] = part
        row += len(part)
    return joined


@dataclass(frozen=True)
class StreamConditions:
    """One stream's share of `Conditions`.

    Attributes:
        embedding: [b, n, w] the input layer on all that does not change along the flow.
        valid: [b, n] the frames that are no padding; None: all.
        turns: Rotary turns of the frames' positions.
        own_mask: For self-attention; None: every frame sees every frame.
        joint_mask: For joint attention; None where this stream listens to no other in any clip.
    """

    embedding: Float[Tensor, "b n w"]
    valid: Bool[Tensor, "b n"] | None
    turns: Complex[Tensor, "b1 n 1 1 d2"]
    own_mask: Tensor | None
    joint_mask: Tensor | None


Conditions = Pair[StreamConditions]
