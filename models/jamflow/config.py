"""Sizes and behaviours of the networks as frozen values, and the table of named configurations."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from torch import Tensor

from schemas.motion import MotionSpace

SAMPLE_RATE_HZ = 24_000
HOP_SAMPLES = 256
MEL_BANDS = 100
FRAME_RATE_HZ = SAMPLE_RATE_HZ / HOP_SAMPLES
RELEASED_VOCABULARY_SIZE = 2545
FEATURES_WIDTH = 768
"""Of wav2vec2-base's hidden states, the stage-1 audio features of the paper."""


@dataclass(frozen=True)
class TrunkConfig:
    """The transformer that both branches share in form (F5-TTS's DiT).

    Attributes:
        rotary_heads: How many of the heads have rotary positions: all in F5-TTS v1, one in v0.
        attends_padding: Whether padded frames are seen by the others, as in the released F5-TTS, where a clip's
            result depends on the batch it is in. False makes a padded batch equal to its clips alone.
    """

    width: int
    depth: int
    heads: int
    head_width: int
    ff_mult: int
    rotary_heads: int
    attends_padding: bool
    dropout: float
    position_kernel: int
    position_groups: int

    def __post_init__(self) -> None:
        if not 0 < self.rotary_heads <= self.heads:
            raise ValueError(f"rotary_heads {self.rotary_heads} is not in 1 to {self.heads}, the number of heads")
        if self.width % self.position_groups or self.head_width % 2:
            raise ValueError(f"width {self.width} / {self.position_groups} groups or head_width {self.head_width} / 2")

    @property
    def attention_width(self) -> int:
        return self.heads * self.head_width


@dataclass(frozen=True)
class AudioConfig:
    """The Audio-DiT.

    Attributes:
        masks_text_filler: Whether frames beyond the text are silenced in the text's encoder: F5-TTS v1 does, v0 not.
        encodes_padding: Whether padded frames take part in the text encoder, whose response norm sums over time, as in
            the released F5-TTS.
        mel_mean, mel_std: The network sees (log-mel - mean) / std (docs/adr/0013); 0 and 1, log-mel itself, in F5-TTS.
    """

    trunk: TrunkConfig
    mel_bands: int
    vocabulary_size: int
    text_width: int
    text_layers: int
    text_mult: int
    masks_text_filler: bool
    encodes_padding: bool
    mel_mean: float = 0.0
    mel_std: float = 1.0

    def __post_init__(self) -> None:
        if not (self.mel_std > 0 and math.isfinite(self.mel_mean) and math.isfinite(self.mel_std)):
            raise ValueError(f"mel_mean {self.mel_mean} and mel_std {self.mel_std}: the latter is not above 0")

    def scaled(self, mel: Tensor) -> Tensor:
        """Log-mel as the network sees it."""
        return (mel - self.mel_mean) / self.mel_std

    def unscaled(self, mel: Tensor) -> Tensor:
        """Log-mel again."""
        return mel * self.mel_std + self.mel_mean


@dataclass(frozen=True)
class MotionConfig:
    """The Motion-DiT: `mouth` numbers a frame are generated, `rest` numbers condition them.

    Attributes:
        mel_frames: How many mel frames last as long as one motion frame: 3.75 at 25 fps.
        features: Width of stage 1's audio features; 0 where there are none (stage 2).
    """

    trunk: TrunkConfig
    mouth: int
    rest: int
    mel_frames: float
    features: int


@dataclass(frozen=True)
class Windows:
    """The paper's asymmetric masks: how far a query of a joint block sees, in time."""

    motion_to_motion_s: float
    motion_to_audio_s: float
    audio_to_motion_frames: int
    """To either side of the motion frame at the same time."""


@dataclass(frozen=True)
class JointConfig:
    """How the branches are coupled.

    Attributes:
        joint: Which pairs of blocks exchange information: all, the first half, or none.
        windows: The asymmetric masks; None: every joint query sees all of both streams (an ablation).
        aligns_rotary: Whether equal times have equal rotary angles (off: an ablation).
        is_gated: Whether what the audio branch takes from motion passes a gate that starts at zero, so that a
            freshly joined model is F5-TTS (docs/adr/0007).
        balances_streams: Whether the keys of motion that an audio query sees weigh, before training, as much together
            as all those of sound: one key among hundreds is not found in a short training (docs/adr/0011).
    """

    joint: Literal["full", "half", "none"]
    windows: Windows | None
    aligns_rotary: bool
    is_gated: bool
    balances_streams: bool = False


@dataclass(frozen=True)
class JamFlowConfig:
    """The whole model. Both trunks have the same depth and head layout; their widths may differ."""

    audio: AudioConfig
    motion: MotionConfig
    coupling: JointConfig

    def __post_init__(self) -> None:
        audio, motion = self.audio.trunk, self.motion.trunk
        for name in ("depth", "heads", "head_width"):
            if getattr(audio, name) != getattr(motion, name):
                raise ValueError(
                    f"the branches differ in {name}: audio {getattr(audio, name)}, motion {getattr(motion, name)}; "
                    f"blocks are coupled in pairs, so make them equal"
                )

    @property
    def joint_blocks(self) -> int:
        """How many block pairs, from the first, are joint."""
        depth = self.audio.trunk.depth
        return {"full": depth, "half": depth // 2, "none": 0}[self.coupling.joint]

    def without_features(self) -> "JamFlowConfig":
        """The same model as stage 2 has it: no audio features at the motion branch's input."""
        return replace(self, motion=replace(self.motion, features=0))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "JamFlowConfig":
        """Raises: TypeError, KeyError, ValueError, where a name is unknown or missing, or a value impossible."""
        audio, motion, coupling = (dict(values[name]) for name in ("audio", "motion", "coupling"))
        audio["trunk"], motion["trunk"] = TrunkConfig(**audio["trunk"]), TrunkConfig(**motion["trunk"])
        if coupling["windows"] is not None:
            coupling["windows"] = Windows(**coupling["windows"])
        if unknown := values.keys() - {"audio", "motion", "coupling"}:
            raise TypeError(f"unknown {', '.join(sorted(unknown))}")
        return cls(AudioConfig(**audio), MotionConfig(**motion), JointConfig(**coupling))


def trunk(width: int, depth: int, heads: int, head_width: int = 64) -> TrunkConfig:
    """F5-TTS v1's form at any size, exact in padded batches."""
    return TrunkConfig(
        width=width,
        depth=depth,
        heads=heads,
        head_width=head_width,
        ff_mult=2,
        rotary_heads=heads,
        attends_padding=False,
        dropout=0.1,
        position_kernel=31,
        position_groups=16,
    )


def audio(of: TrunkConfig, text_width: int, text_layers: int, vocabulary_size: int) -> AudioConfig:
    """F5-TTS v1's Audio-DiT on a given trunk."""
    return AudioConfig(
        trunk=of,
        mel_bands=MEL_BANDS,
        vocabulary_size=vocabulary_size,
        text_width=text_width,
        text_layers=text_layers,
        text_mult=2,
        masks_text_filler=True,
        encodes_padding=False,
    )


V1_BASE = replace(
    audio(replace(trunk(1024, 22, 16), attends_padding=True), 512, 4, RELEASED_VOCABULARY_SIZE), encodes_padding=True
)
V0_BASE = replace(V1_BASE, trunk=replace(V1_BASE.trunk, rotary_heads=1), masks_text_filler=False)

RELEASES: Mapping[str, AudioConfig] = MappingProxyType({"F5TTS_v1_Base": V1_BASE, "F5TTS_Base": V0_BASE})
"""The two releases of F5-TTS. Their tensors have the same names and shapes; only this table tells them apart."""

COUPLING = JointConfig(
    joint="half",
    windows=Windows(motion_to_motion_s=0.4, motion_to_audio_s=0.4, audio_to_motion_frames=0),
    aligns_rotary=True,
    is_gated=True,
)


def joined(
    of: AudioConfig, space: MotionSpace, *, features: int = 0, coupling: JointConfig = COUPLING
) -> JamFlowConfig:
    """The paper's joint model over a motion space: a motion branch in the audio branch's form; padding is exact."""
    exact = replace(of, trunk=replace(of.trunk, attends_padding=False), encodes_padding=False)
    body = replace(exact.trunk, rotary_heads=exact.trunk.heads)
    motion = MotionConfig(body, len(space.mouth_dims), len(space.rest_dims), FRAME_RATE_HZ / space.fps, features)
    return JamFlowConfig(exact, motion, coupling)


AUDIO: Mapping[str, AudioConfig] = MappingProxyType(
    {
        "tiny": audio(trunk(256, 8, 4), 256, 2, RELEASED_VOCABULARY_SIZE),
        "small": audio(trunk(768, 18, 12), 512, 4, RELEASED_VOCABULARY_SIZE),
        "base": audio(trunk(1024, 22, 16), 512, 4, RELEASED_VOCABULARY_SIZE),
    }
)
"""tiny: trained and run on a CPU; small: F5TTS_v1_Small's sizes; base: the paper's and F5TTS_v1_Base's."""
