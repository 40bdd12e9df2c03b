"""From noise to speech and motion. Letters: b clips, n frames, c numbers a frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from models.jamflow.conditions import Given, Pair, each, stack
from models.jamflow.joint import JamFlow
from models.jamflow.layers import silenced
from models.jamflow.schedule import EULER, Solver
from schemas.errors import RequestError

Progress = Callable[[int, int], None]
"""Told how many evaluations of how many are done."""


@dataclass(frozen=True)
class Guidance:
    """Strength of classifier-free guidance, v + w (v - v_null), for each stream (F5-TTS and the paper: 2 for both)."""

    audio: float = 2.0
    motion: float = 2.0

    @property
    def is_on(self) -> bool:
        return self.audio != 0 or self.motion != 0


USUAL_GUIDANCE = Guidance()


def draw_noise(
    lengths: Int[Tensor, " b"], padded: int, width: int, seeds: Sequence[int]
) -> Float[Tensor, "b padded width"]:
    """Standard normal noise, zero beyond a clip's length.

    Each clip draws from its own seed, on the CPU: its noise is the same in any batch and on any device.
    """
    noise = torch.zeros(len(seeds), padded, width)
    for row, (length, seed) in enumerate(zip(lengths.tolist(), seeds, strict=True)):
        generator = torch.Generator().manual_seed(seed)
        noise[row, :length] = torch.randn(length, width, generator=generator)
    return noise.to(lengths.device)


def noise_for(given: Given, model: JamFlow, seeds: Sequence[int]) -> Pair[Tensor]:
    """Noise for both streams; they draw from seeds of their own, so one's length does not change the other's noise."""
    widths = Pair(model.config.audio.mel_bands, model.config.motion.mouth)
    own_seeds = Pair([2 * seed for seed in seeds], [2 * seed + 1 for seed in seeds])
    frames = given.streams.map(lambda stream: stream.frames)
    return each(lambda part, width, own: draw_noise(part.lengths, part.padded, width, own), frames, widths, own_seeds)


@torch.inference_mode()
def sample(
    model: JamFlow,
    given: Given,
    noise: Pair[Tensor],
    grid: Float[Tensor, " s1"],
    *,
    solver: Solver = EULER,
    guidance: Guidance = USUAL_GUIDANCE,
    progress: Progress | None = None,
) -> Pair[Tensor]:
    """Generate what is to be generated; what is known comes back untouched.

    Args:
        model: In eval mode; its weights' precision is the precision of the work.
        given: All clips generate the same streams.
        noise: Of both streams (see `noise_for`), in the network's scale.
        grid: Flow times (see models.jamflow.schedule).

    Returns: mel [b, n, bands] and mouth [b, m, mouth], float32, zero beyond each clip's length; None where absent.

    Raises:
        RequestError: Clips that generate different streams in one batch, or none.
    """
    seen = given.scaled(model.config.audio)
    start = each(lambda stream, x: x if _is_generated(stream) else None, given.streams, noise)
    if start.audio is None and start.motion is None:
        raise RequestError("nothing is to be generated: all streams are given")
    field = _Field(model, seen, start, guidance, solver.times(grid), progress)
    mel, mouth = solver.integrate(field, start, grid)
    made = Pair(None if mel is None else model.config.audio.unscaled(mel), mouth)
    return each(_finished, given.streams, made)


class _Field:
    """The guided velocity field of a batch; all that does not depend on the state is computed once, here."""

    def __init__(
        self,
        model: JamFlow,
        given: Given,
        moving: Pair[Tensor],
        guidance: Guidance,
        times: Tensor,
        progress: Progress | None,
    ) -> None:
        self.model, self.guidance, self.progress, self.evaluations = model, guidance, progress, len(times)
        # Conditioned and null clips go through the network as one batch.
        batch = stack([given, given.without_conditions()]) if guidance.is_on else given
        device = given.audio_listens.device
        self.conditions = model.condition(batch)
        self.still = batch.streams.map(lambda stream: stream.clean)
        # A stream that is given is data already: its flow time is 1 throughout.
        ends = torch.ones_like(times[:1])
        own_times = each(lambda _, x: (ends if x is None else times).to(device), batch.streams, moving)
        self.modulation = model.modulate(own_times)

    def __call__(self, x: Pair[Tensor], evaluation: int) -> Pair[Tensor]:
        state = each(lambda still, moving: still if moving is None else self._doubled(moving), self.still, x)
        modulation = self.modulation.map(lambda part: part.at(min(evaluation, len(part.end) - 1)))
        velocity = self.model.velocity(state, modulation, self.conditions)
        if self.progress is not None:
            self.progress(evaluation + 1, self.evaluations)
        return each(self._guided, x, velocity, Pair(self.guidance.audio, self.guidance.motion))

    def _doubled(self, x: Tensor) -> Tensor:
        return torch.cat([x, x]) if self.guidance.is_on else x

    def _guided(self, _state: Tensor, velocity: Tensor, strength: float) -> Tensor:
        if not self.guidance.is_on:
            return velocity.float()
        conditioned, null = velocity.float().chunk(2)
        return conditioned + strength * (conditioned - null)


def _is_generated(stream: Any) -> bool:
    some, all_ = bool(stream.is_generated.any()), bool(stream.is_generated.all())
    if some != all_:
        raise RequestError("clips that generate different streams cannot be sampled in one batch: sample them apart")
    return all_


def _finished(stream: Any, x: Tensor | None) -> Tensor:
    generated = stream.clean if x is None else torch.where(stream.known[..., None], stream.clean, x)
    return silenced(generated, stream.frames.valid)
