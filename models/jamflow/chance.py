"""What chance decides in a training step. Letters: b clips, n mel, m motion frames."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

from models.jamflow.conditions import Pair, each
from models.jamflow.config import AudioConfig
from models.jamflow.masks import Frames


@dataclass(frozen=True)
class AudioClips:
    """Sound of a batch: log-mel frames, or those of a network's scale (`Batch.scaled`); text ids padded with -1; frames
    of each clip."""

    mel: Float[Tensor, "b n bands"]
    tokens: Int[Tensor, "b nt"]
    lengths: Int[Tensor, " b"]

    @property
    def clean(self) -> Float[Tensor, "b n bands"]:
        """What is to be generated."""
        return self.mel


@dataclass(frozen=True)
class MotionClips:
    """Motion of a batch, z-scored; a clip of sound alone has 0 frames of it.

    Attributes:
        mouth, rest: Vectors.
        visible: Whether the face is seen; the mouth of other frames is neither shown nor learned.
        lengths: Frames of each clip.
        has_rest: Whether what else moves is known of a clip.
        features: Stage 1's audio features.
    """

    mouth: Float[Tensor, "b m mouth"]
    rest: Float[Tensor, "b m rest"]
    visible: Bool[Tensor, "b m"]
    lengths: Int[Tensor, " b"]
    has_rest: Bool[Tensor, " b"]
    features: Float[Tensor, "b m features"] | None = None

    @property
    def clean(self) -> Float[Tensor, "b m mouth"]:
        """What is to be generated."""
        return self.mouth


@dataclass(frozen=True)
class Batch:
    """Clips of features. Stage 1 has no `audio`; a batch of sound alone may have no `motion`."""

    audio: AudioClips | None
    motion: MotionClips | None

    def scaled(self, audio: AudioConfig) -> "Batch":
        """The same batch with its mel as a network sees it."""
        if self.audio is None:
            return self
        return replace(self, audio=replace(self.audio, mel=audio.scaled(self.audio.mel)))

    @property
    def streams(self) -> Pair[AudioClips | MotionClips]:
        """Both; they have `clean` and `lengths` in common."""
        return Pair(self.audio, self.motion)

    @property
    def frames(self) -> Pair[Frames]:
        return self.streams.map(lambda clips: Frames(clips.lengths, clips.clean.shape[1]))


@dataclass(frozen=True)
class Recipe:
    """Probabilities of a step; the defaults are the paper's, and ours where it is silent (docs/adr/0008).

    Attributes:
        drop_audio, drop_mouth, drop_text, drop_rest: Of withholding a condition from a clip, each drawn for itself.
        hide_motion_only, hide_audio_only: Of hiding a span of one stream only; else of both.
        hidden_share: Least and largest share of a stream that its hidden span takes (F5-TTS).
        share_time: Of one flow time for both streams.
    """

    drop_audio: float = 0.1
    drop_mouth: float = 0.1
    drop_text: float = 0.2
    drop_rest: float = 0.8
    hide_motion_only: float = 1 / 3
    hide_audio_only: float = 1 / 3
    hidden_share: tuple[float, float] = (0.7, 1.0)
    share_time: float = 0.5


STAGE_1 = Recipe(drop_text=0.0, hide_motion_only=1.0, hide_audio_only=0.0)
"""Motion alone, from audio features."""


@dataclass(frozen=True)
class Draw:
    """All that chance decides.

    Attributes:
        hidden: Frames to be generated, [b, n] and [b, m].
        noise: x_0 of both streams.
        t: Flow times [b] of both streams; 1 where nothing of a clip's stream is hidden.
        drops_audio, drops_mouth, drops_text, drops_rest: [b] conditions that are withheld.
    """

    hidden: Pair[Tensor]
    noise: Pair[Tensor]
    t: Pair[Tensor]
    drops_audio: Bool[Tensor, " b"]
    drops_mouth: Bool[Tensor, " b"]
    drops_text: Bool[Tensor, " b"]
    drops_rest: Bool[Tensor, " b"]


def draw(batch: Batch, recipe: Recipe, generator: Generator) -> Draw:
    """Let chance decide; `generator` is on the CPU, so that a run is the same on any device."""
    lengths = next(clips.lengths for clips in batch.streams if clips is not None)
    clips, device = len(lengths), lengths.device

    def chance(probability: float) -> Bool[Tensor, " b"]:
        return torch.rand(clips, generator=generator) < probability

    has_motion = torch.zeros(clips, dtype=torch.bool) if batch.motion is None else batch.motion.lengths.cpu() > 0
    which = torch.rand(clips, generator=generator)
    shows_audio = (which < recipe.hide_motion_only) & has_motion
    shows_motion = (which >= recipe.hide_motion_only) & (which < recipe.hide_motion_only + recipe.hide_audio_only)
    spans = batch.frames.map(lambda frames: _spans(frames, recipe.hidden_share, generator))
    hidden = each(lambda span, is_shown: span & ~is_shown[:, None], spans, Pair(shows_audio, shows_motion))
    audio_t, own_t = torch.rand(2, clips, generator=generator)
    times = Pair(audio_t, torch.where(chance(recipe.share_time), audio_t, own_t))
    t = each(lambda span, time: torch.where(span.any(dim=1), time, torch.ones(())), hidden, times)
    noise = batch.streams.map(lambda stream: torch.randn(stream.clean.shape, generator=generator))
    return Draw(
        hidden=hidden.map(lambda x: x.to(device)),
        noise=noise.map(lambda x: x.to(device)),
        t=t.map(lambda x: x.to(device)),
        drops_audio=chance(recipe.drop_audio).to(device),
        drops_mouth=chance(recipe.drop_mouth).to(device),
        drops_text=chance(recipe.drop_text).to(device),
        drops_rest=chance(recipe.drop_rest).to(device),
    )


def _spans(frames: Frames, share: tuple[float, float], generator: Generator) -> Bool[Tensor, "b n"]:
    """One contiguous span in each clip, of a share drawn evenly, anywhere in it."""
    lengths = frames.lengths.cpu()
    shares = share[0] + (share[1] - share[0]) * torch.rand(len(lengths), generator=generator)
    sizes = (shares * lengths).ceil().long()
    starts = (torch.rand(len(lengths), generator=generator) * (lengths - sizes + 1)).long()
    places = torch.arange(frames.padded)
    return (places >= starts[:, None]) & (places < (starts + sizes)[:, None])
