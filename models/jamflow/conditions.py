"""What is given of a batch of clips, and what the network makes of it once, before the solver's loop.

Letters: b clips, n mel frames, m motion frames, w width.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, TypeVar

import torch
from jaxtyping import Bool, Complex, Float, Int
from torch import Tensor

from models.jamflow.audio_dit import AudioGiven
from models.jamflow.config import AudioConfig
from models.jamflow.motion_dit import MotionGiven
from models.jamflow.tokens import PADDING

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Pair(Generic[T]):
    """The same thing of both streams; None where a stream is absent."""

    audio: T | None
    motion: T | None

    def __iter__(self) -> Iterator[T | None]:
        return iter((self.audio, self.motion))

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

    def scaled(self, audio: AudioConfig) -> "Given":
        """The same with its mel as a network sees it."""
        return (
            self if self.audio is None else replace(self, audio=replace(self.audio, mel=audio.scaled(self.audio.mel)))
        )

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
            features_known=_none_of(self.motion.features_known),
        )
        return Given(audio, motion, nothing, nothing)


def _none_of(known: Tensor | None) -> Tensor | None:
    return None if known is None else torch.zeros_like(known)


def _placed(stream: Any, device: torch.device) -> Any:
    columns = {field.name: getattr(stream, field.name) for field in fields(stream)}
    return replace(stream, **{name: part.to(device) for name, part in columns.items() if part is not None})


def stack(clips: Sequence[Given]) -> Given:
    """Make one batch of several: shorter clips are padded, clips without a stream have none of its frames."""
    counts = [len(clip.audio_listens) for clip in clips]
    return Given(
        _stacked([clip.audio for clip in clips], counts),
        _stacked([clip.motion for clip in clips], counts),
        torch.cat([clip.audio_listens for clip in clips]),
        torch.cat([clip.motion_listens for clip in clips]),
    )


def _stacked(streams: list[Any], counts: list[int]) -> Any:
    present = next((stream for stream in streams if stream is not None), None)
    if present is None:
        return None
    columns = {}
    for field in fields(present):
        parts = [getattr(stream, field.name, None) for stream in streams]
        columns[field.name] = _joined(parts, counts, PADDING if field.name == "tokens" else 0)
    return type(present)(**columns)


def _joined(parts: list[Tensor | None], counts: list[int], value: int) -> Tensor | None:
    """Put clips below each other, filling axis 1 up to the longest; a part that is missing has no frames."""
    like = next((part for part in parts if part is not None), None)
    if like is None:
        return None
    longest = max((part.shape[1] for part in parts if part is not None and part.dim() > 1), default=0)
    joined = like.new_full((sum(counts), *([longest] if like.dim() > 1 else []), *like.shape[2:]), value)
    for part, rows in zip(parts, joined.split(counts), strict=True):
        if part is not None and like.dim() > 1:
            rows[:, : part.shape[1]] = part
        elif part is not None:
            rows.copy_(part)
    return joined


@dataclass(frozen=True)
class Hearing:
    """Who of a batch listens to the other stream.

    Attributes:
        listening, deaf: Numbers of the clips that do, and that do not.
        mask: [listening or 1, 1, n, k] over the keys of both streams.
    """

    listening: Int[Tensor, " l"]
    deaf: Int[Tensor, " d"]
    mask: Float[Tensor, "l1 1 n k"]


@dataclass(frozen=True)
class StreamConditions:
    """One stream's share of `Conditions`.

    Attributes:
        embedding: [b, n, w] the input layer on all that does not change along the flow.
        valid: [b, n] the frames that are no padding; None: all.
        turns: Rotary turns of the frames' positions.
        own_mask: For self-attention; None: every frame sees every frame.
        hearing: What the stream sees of the other one in joint blocks; None: nothing, in any clip.
    """

    embedding: Float[Tensor, "b n w"]
    valid: Bool[Tensor, "b n"] | None
    turns: Complex[Tensor, "b1 n 1 1 d2"]
    own_mask: Tensor | None
    hearing: Hearing | None


Conditions = Pair[StreamConditions]
