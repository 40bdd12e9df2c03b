"""What is given of a batch of clips, and what the network makes of it once, before the solver's loop.

Letters: b clips, n mel frames, m motion frames, w width.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from models.jamflow.audio_dit import AudioGiven
from models.jamflow.motion_dit import MotionGiven

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

    def beside(self, other: "Given") -> "Given":
        """Both batches as one, for a single pass of the network."""
        return Given(
            _joined(self.audio, other.audio),
            _joined(self.motion, other.motion),
            torch.cat([self.audio_listens, other.audio_listens]),
            torch.cat([self.motion_listens, other.motion_listens]),
        )


def _joined(one: T, other: T) -> T:
    if one is None or other is None:
        return one
    fields = {}
    for name in one.__dataclass_fields__:  # type: ignore[attr-defined]
        parts = getattr(one, name), getattr(other, name)
        there = next((part for part in parts if part is not None), None)
        filled = [torch.zeros_like(there) if part is None else part for part in parts] if there is not None else []
        fields[name] = torch.cat(filled) if filled else None
    return type(one)(**fields)


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
