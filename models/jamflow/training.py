"""One training step: losses, gradients, variants. Letters: b clips, n frames, c numbers a frame.

Plain functions on tensors: no trainer, no files, no clock. The models know nothing of them.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from models.jamflow.audio_dit import AudioGiven
from models.jamflow.chance import AudioClips, Batch, Draw, MotionClips
from models.jamflow.conditions import Given, Pair, each
from models.jamflow.flow import interpolate, mean_square, velocity_target
from models.jamflow.joint import JamFlow
from models.jamflow.masks import Frames
from models.jamflow.motion_dit import MotionGiven


@dataclass(frozen=True)
class Losses:
    """Mean squared errors of the velocities inside hidden spans."""

    audio: Float[Tensor, ""]
    motion: Float[Tensor, ""]

    @property
    def total(self) -> Float[Tensor, ""]:
        """What is minimised: the paper's unweighted sum."""
        return self.audio + self.motion


def conditions_of(batch: Batch, chosen: Draw) -> Given:
    """What the network is given of a batch in one step."""
    audio = None if batch.audio is None else _audio_given(batch.audio, chosen)
    motion = None if batch.motion is None else _motion_given(batch.motion, chosen)
    listens = torch.ones_like(chosen.drops_text) if batch.motion is None else batch.motion.lengths > 0
    return Given(audio, motion, listens, listens)


def _audio_given(clips: AudioClips, chosen: Draw) -> AudioGiven:
    hidden = chosen.hidden.audio
    assert hidden is not None
    valid = Frames(clips.lengths, clips.mel.shape[1]).valid
    known = valid & ~hidden & ~chosen.drops_audio[:, None]
    return AudioGiven(clips.mel, known, clips.tokens, ~chosen.drops_text, clips.lengths, hidden.any(dim=1))


def _motion_given(clips: MotionClips, chosen: Draw) -> MotionGiven:
    hidden = chosen.hidden.motion
    assert hidden is not None
    valid = Frames(clips.lengths, clips.mouth.shape[1]).valid
    visible = clips.visible & valid
    return MotionGiven(
        mouth=clips.mouth,
        mouth_known=visible & ~hidden & ~chosen.drops_mouth[:, None],
        rest=clips.rest,
        rest_known=visible & (clips.has_rest & ~chosen.drops_rest)[:, None],
        lengths=clips.lengths,
        is_generated=hidden.any(dim=1),
        features=clips.features,
        features_known=None if clips.features is None else valid & ~chosen.drops_audio[:, None],
    )


def losses(model: nn.Module, batch: Batch, chosen: Draw, *, recompute: bool = False) -> Losses:
    """The paper's L_audio and L_motion, over hidden frames; of motion where the face is seen."""
    given = conditions_of(batch, chosen)
    clean = batch.streams.map(lambda clips: clips.clean)
    x = each(_noisy, given.streams, clean, chosen.noise, chosen.t)
    velocity = model(x, chosen.t, given, recompute=recompute)
    seen = Pair(None, None if batch.motion is None else batch.motion.visible)
    counted = each(lambda hidden, visible: hidden if visible is None else hidden & visible, chosen.hidden, seen)
    squared = each(mean_square, velocity, each(velocity_target, chosen.noise, clean), counted)
    zero = torch.zeros((), device=chosen.drops_text.device)
    return Losses(*(zero if part is None else part for part in squared))


def _noisy(
    stream: AudioGiven | MotionGiven, clean: Tensor, noise: Tensor, t: Float[Tensor, " b"]
) -> Float[Tensor, "b n c"]:
    """x_t; a stream that is given whole is clean where it is known, and zero elsewhere, as in the sampler."""
    return torch.where(stream.is_generated[:, None, None], interpolate(noise, clean, t), stream.clean)


@dataclass(frozen=True)
class Step:
    """What one step did: its losses before it, and the norm of the gradient before clipping."""

    losses: Losses
    gradient_norm: float


def train_step(
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    chosen: Draw,
    *,
    clip_norm: float = 1.0,
    autocast: torch.dtype | None = None,
    recompute: bool = False,
) -> Step:
    """Take one step on one batch.

    Args:
        model: A JamFlow, or one that is wrapped for several processes.
        clip_norm: Largest norm of the gradient.
        autocast: Precision of the matrix products (bfloat16), or None for the parameters' own.
        recompute: Compute activations again in the backward pass, for less memory.
    """
    with torch.autocast(chosen.drops_text.device.type, dtype=autocast, enabled=autocast is not None):
        found = losses(model, batch, chosen, recompute=recompute)
    optimiser.zero_grad(set_to_none=True)
    found.total.backward()
    norm = clip_grad_norm_([p for p in model.parameters() if p.grad is not None], clip_norm)
    optimiser.step()
    return Step(Losses(found.audio.detach(), found.motion.detach()), float(norm))


def freeze_audio(model: JamFlow) -> None:
    """The paper's variant with a frozen Audio-DiT; the gates, which are no part of it, go on learning."""
    model.audio.requires_grad_(False)


def without_features(model: JamFlow) -> JamFlow:
    """Stage 2's model from stage 1's: the same weights, but for the layer of the audio features."""
    second = JamFlow(model.config.without_features())
    second.load_state_dict({k: v for k, v in model.state_dict().items() if not k.startswith("motion.features.")})
    return second
