"""Log-mel frames of sound as F5-TTS and its vocoder know them. Letters: b sounds, samples at 24 kHz, frames of 256.

Source: F5-TTS, the "vocos" mel (https://github.com/SWivid/F5-TTS, MIT); the code is our own.
"""

import functools
import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.jamflow.config import HOP_SAMPLES, MEL_BANDS, SAMPLE_RATE_HZ
from schemas.errors import RequestError

FFT_SAMPLES = 1024  # the window, too
SHORTEST_SAMPLES = FFT_SAMPLES // 2 + 1  # half a window is mirrored at each end

_FLOOR = 1e-5
MEL_FLOOR = math.log(_FLOOR)
"""Of digital silence."""


def frames_of(samples: int) -> int:
    """How many frames `mel_spectrogram` makes of so many samples: frame i is centred at sample 256 i."""
    return samples // HOP_SAMPLES + 1


def mel_spectrogram(wave: Float[Tensor, "b samples"]) -> Float[Tensor, "b frames 100"]:
    """Take the natural logarithm of mel magnitudes, at least ln 1e-5, in float32.

    Raises:
        RequestError: there is no sound, it is shorter than `SHORTEST_SAMPLES`, or a sample is not finite.
    """
    _check(wave)
    magnitudes: Tensor = _transform(wave.device)(wave.float())  # [b 100 frames]
    return magnitudes.clamp(min=_FLOOR).log().transpose(1, 2)


def _check(wave: Tensor) -> None:
    sounds, samples = wave.shape
    if sounds == 0:
        raise RequestError("a mel was asked of a batch of 0 sounds: give at least one")
    if samples < SHORTEST_SAMPLES:
        raise RequestError(
            f"a sound of {samples} samples at 24 kHz is too short for a mel: give at least {SHORTEST_SAMPLES}"
        )
    finite = torch.isfinite(wave)
    if not finite.all():
        sound, sample = (~finite).nonzero()[0].tolist()
        raise RequestError(
            f"sample {sample} of sound {sound} is {float(wave[sound, sample])}: decode the sound again, or set it to 0"
        )


@functools.cache
def _transform(device: torch.device) -> nn.Module:
    from torchaudio.transforms import MelSpectrogram

    with torch.inference_mode(False):  # buffers made in inference mode could not be used in training later
        return MelSpectrogram(
            sample_rate=SAMPLE_RATE_HZ,
            n_fft=FFT_SAMPLES,
            hop_length=HOP_SAMPLES,
            n_mels=MEL_BANDS,
            power=1.0,  # magnitudes
        ).to(device)
