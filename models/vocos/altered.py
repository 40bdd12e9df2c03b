"""Mels as a model generates them: smoother than those of recordings, and a little off. Letters: b sounds, n frames."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d, pad

from models.jamflow.mel import MEL_FLOOR

_MOST_BLUR = 0.2  # the share that each of two neighbours gets, in time and in frequency
_MOST_NOISE = 0.15  # standard deviation, in natural logarithms


def altered(mel: Float[Tensor, "b n bands"], generator: torch.Generator) -> Float[Tensor, "b n bands"]:
    """Blur each sound's mel and add noise to it, how much of either drawn for each; never below the floor."""
    sounds = len(mel)
    time, band = _MOST_BLUR * torch.rand(2, sounds, generator=generator)
    noise = _MOST_NOISE * torch.rand(sounds, generator=generator)
    mixed = _blurred(_blurred(mel, time).transpose(1, 2), band).transpose(1, 2)
    mixed = mixed + noise[:, None, None] * torch.randn(mel.shape, generator=generator)
    return mixed.clamp(min=MEL_FLOOR)


def _blurred(x: Float[Tensor, "b n c"], share: Float[Tensor, " b"]) -> Float[Tensor, "b n c"]:
    """Along n, with each sound's own kernel (share, 1 - 2 share, share); the ends are held."""
    kernels = torch.stack([share, 1 - 2 * share, share], dim=1)[:, None, :, None]
    return conv2d(pad(x[None], (0, 0, 1, 1), mode="replicate"), kernels, groups=len(x))[0]
