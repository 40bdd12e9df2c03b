"""Discriminators of the package `vocos` (MIT licence), and the hinge losses. Letters: b sounds, n samples."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.vocos.config import Adversary


@dataclass(frozen=True)
class Opinion:
    """What a discriminator makes of a sound: a score at each place, and what its layers hold."""

    score: Tensor
    layers: list[Tensor]


def build_discriminators(config: Adversary) -> nn.ModuleList:
    """One for each window, their weights random."""
    from vocos.discriminators import DiscriminatorR

    return nn.ModuleList(
        DiscriminatorR(window, channels=config.channels, hop_factor=config.hop_share) for window in config.windows
    )


def judged(discriminator: nn.Module, wave: Float[Tensor, "b n"], has_bfloat16: bool) -> Opinion:
    """Ask a discriminator."""
    with torch.autocast(wave.device.type, torch.bfloat16, enabled=has_bfloat16):
        score, layers = discriminator(wave)
    return Opinion(score.float(), layers)


def discriminator_loss(real: Opinion, made: Opinion) -> Float[Tensor, ""]:
    """Hinge: real sounds score at least 1, made ones at most -1."""
    return (1 - real.score).clamp(min=0).mean() + (1 + made.score).clamp(min=0).mean()


def hinge_loss(made: Opinion) -> Float[Tensor, ""]:
    """Of the vocoder: what it makes scores at least 1."""
    return (1 - made.score).clamp(min=0).mean()


def matching_loss(real: Opinion, made: Opinion) -> Float[Tensor, ""]:
    """Mean absolute difference of the layers, which are constant for real sounds."""
    pairs = zip(real.layers, made.layers, strict=True)
    return torch.stack([(theirs.detach().float() - ours.float()).abs().mean() for theirs, ours in pairs]).mean()
