"""How far a sound is from the one it should be. Letters: b sounds, n samples."""

import functools

import torch
from jaxtyping import Float
from torch import Tensor

from models.jamflow.mel import mel_spectrogram

WINDOWS = (2048, 512, 256)
"""Of the spectra in samples; hops are a quarter of them. The mel has 1024."""

_FLOOR = 1e-7  # of squared magnitudes


def log_mel_error(made: Float[Tensor, "b n"], wanted: Float[Tensor, "b n"]) -> Float[Tensor, ""]:
    """Mean absolute difference of the log-mels that the vocoder reads."""
    return (mel_spectrogram(made) - mel_spectrogram(wanted)).abs().mean()


def spectral_error(made: Float[Tensor, "b n"], wanted: Float[Tensor, "b n"]) -> Float[Tensor, ""]:
    """Spectral convergence plus the mean absolute difference of log magnitudes, averaged over the windows.

    Source: Yamamoto et al. 2020, arXiv:1910.11480.
    """
    errors = []
    for window in WINDOWS:
        ours, theirs = magnitudes(made, window), magnitudes(wanted, window)
        convergence = (ours - theirs).norm() / theirs.norm().clamp(min=1e-3)
        errors.append(convergence + (ours.log() - theirs.log()).abs().mean())
    return torch.stack(errors).mean()


def magnitudes(wave: Float[Tensor, "b n"], window: int) -> Float[Tensor, "b bins frames"]:
    """Of the short-time spectrum; never 0, where a logarithm has no gradient."""
    spectrum = torch.stft(wave, window, window // 4, window=_hann(window, wave.device), return_complex=True)
    return (spectrum.real.square() + spectrum.imag.square()).clamp(min=_FLOOR).sqrt()


@functools.cache
def _hann(window: int, device: torch.device) -> Float[Tensor, " window"]:
    return torch.hann_window(window, device=device)
