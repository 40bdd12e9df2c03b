"""Our side of benchmarks/jamflow.py, and what both sides are given. Letters: n mel frames, m motion frames."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from models.facemesh.space import space
from models.jamflow.audio_dit import AudioDiT, AudioGiven
from models.jamflow.conditions import Conditions, Given, Pair, stack
from models.jamflow.config import (
    FRAME_RATE_HZ,
    MEL_BANDS,
    RELEASED_VOCABULARY_SIZE,
    V1_BASE,
    JamFlowConfig,
    MotionConfig,
    joined,
    trunk,
)
from models.jamflow.f5 import audio_dit
from models.jamflow.joint import JamFlow
from models.jamflow.layers import Modulation
from models.jamflow.motion_dit import MotionDiT, MotionGiven
from models.jamflow.packed import pack
from models.jamflow.sampler import sample
from models.jamflow.schedule import epss_grid, swayed
from models.weights.tensors import read_tensors

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
FLOW_TIME = 0.5
NOISE_SEED = 3
SWAY = -1.0
_CLIP_SEED, _MOTION_SEED = 1, 2
_TOKENS_A_SECOND = 15
_MEL_MEAN, _MEL_STD = -4.0, 2.0


@dataclass(frozen=True)
class Clip:
    """One clip; the first third of both streams is known.

    Attributes:
        mel, noise: [1, n, bands].
        tokens: [1, nt] text ids.
        mouth, mouth_noise: [1, m, mouth]; read by the joint model alone, as is `rest` [1, m, rest].
    """

    mel: Tensor
    noise: Tensor
    tokens: Tensor
    mouth: Tensor
    mouth_noise: Tensor
    rest: Tensor

    @property
    def frames(self) -> int:
        return self.mel.shape[1]

    @property
    def prompt_frames(self) -> int:
        return self.frames // 3


def draw_clip(seconds: float) -> Clip:
    """A clip of noise as long as asked, prompt included: the cost does not depend on what is said."""
    normal = partial(torch.randn, generator=torch.Generator().manual_seed(_CLIP_SEED))
    frames, motion_frames = int(seconds * FRAME_RATE_HZ), int(seconds * space().fps)
    mouth, rest = len(space().mouth_dims), len(space().rest_dims)
    ids = torch.Generator().manual_seed(_CLIP_SEED)
    return Clip(
        mel=_MEL_MEAN + _MEL_STD * normal(1, frames, MEL_BANDS),
        # As F5-TTS's sampler draws it from this seed.
        noise=torch.randn(1, frames, MEL_BANDS, generator=torch.Generator().manual_seed(NOISE_SEED)),
        tokens=torch.randint(1, RELEASED_VOCABULARY_SIZE, (1, int(seconds * _TOKENS_A_SECOND)), generator=ids),
        mouth=normal(1, motion_frames, mouth),
        mouth_noise=normal(1, motion_frames, mouth),
        rest=normal(1, motion_frames, rest),
    )


def filled(name: str, shape: torch.Size, generator: torch.Generator) -> Tensor:
    """A tensor of plausible size: normal, scaled by its fan-in; the scale of a norm is near one."""
    scale = math.prod(shape[1:]) ** -0.5 if len(shape) > 1 else 0.02
    values = scale * torch.randn(shape, generator=generator)
    return 1 + values if name.endswith("norm.weight") else values


@dataclass(frozen=True)
class Ours:
    """JAM-Flow, packed, with and without gates around the same branches; without motion both are F5-TTS."""

    gated: JamFlow
    ungated: JamFlow


def load_ours(weights: Path, precision: str, *, has_motion: bool = True) -> Ours:
    """Load released weights; the motion branch is as large as the audio branch, or too small to count."""
    config = joined(V1_BASE, space())
    if not has_motion:
        small = trunk(16, V1_BASE.trunk.depth, V1_BASE.trunk.heads)
        config = replace(config, motion=replace(config.motion, trunk=small))
    audio = audio_dit(read_tensors(weights), config.audio, weights)
    gated = _around(audio, _motion_dit(config.motion), config)
    gated.gates = nn.Parameter(torch.zeros(config.joint_blocks, config.audio.trunk.heads))
    pack(gated.to(DTYPES[precision]))
    bare = replace(config, coupling=replace(config.coupling, is_gated=False))
    return Ours(gated, _around(gated.audio, gated.motion, bare))


def _around(audio: AudioDiT, motion: MotionDiT, config: JamFlowConfig) -> JamFlow:
    with torch.device("meta"):
        model = JamFlow(config)
    model.audio, model.motion = audio, motion
    return model.eval()


def _motion_dit(config: MotionConfig) -> MotionDiT:
    generator = torch.Generator().manual_seed(_MOTION_SEED)
    with torch.device("meta"):
        branch = MotionDiT(config)
    state = {name: filled(name, tensor.shape, generator) for name, tensor in branch.state_dict().items()}
    branch.load_state_dict(state, assign=True)
    return branch


@torch.inference_mode()
def evaluation(model: JamFlow, clip: Clip, *, has_motion: bool = False) -> Callable[[], Tensor]:
    """One guided evaluation of the mel's velocity, as the sampler's loop does it: what it does once is done here."""
    given = _given(clip, has_motion)
    x = _noise(clip, has_motion).map(lambda part: torch.cat([part, part]))
    conditions = model.condition(stack([given, given.without_conditions()]))
    modulation = model.modulate(x.map(lambda _: torch.tensor([FLOW_TIME])))
    return partial(_evaluated, model, x, modulation, conditions)


@torch.inference_mode()
def _evaluated(model: JamFlow, x: Pair[Tensor], modulation: Pair[Modulation], conditions: Conditions) -> Tensor:
    return model.velocity(x, modulation, conditions).audio.float()


def sampling(model: JamFlow, clip: Clip, steps: int, *, has_motion: bool = False) -> Callable[[], Tensor]:
    """A whole guided sampling, from text ids to the mel after the prompt."""
    given, noise, grid = _given(clip, has_motion), _noise(clip, has_motion), swayed(epss_grid(steps), SWAY)
    return lambda: sample(model, given, noise, grid).audio[:, clip.prompt_frames :]


def _given(clip: Clip, has_motion: bool) -> Given:
    yes = torch.ones(1, dtype=torch.bool)
    audio = AudioGiven(clip.mel, _known(clip.mel), clip.tokens, yes, torch.tensor([clip.frames]), yes)
    if not has_motion:
        return Given(audio, None, ~yes, ~yes)
    rest_known = torch.ones(clip.rest.shape[:2], dtype=torch.bool)
    lengths = torch.tensor([clip.mouth.shape[1]])
    motion = MotionGiven(clip.mouth, _known(clip.mouth), clip.rest, rest_known, lengths, yes)
    return Given(audio, motion, yes, yes)


def _known(stream: Tensor) -> Tensor:
    frames = stream.shape[1]
    return torch.arange(frames)[None] < frames // 3


def _noise(clip: Clip, has_motion: bool) -> Pair[Tensor]:
    return Pair(clip.noise, clip.mouth_noise if has_motion else None)
