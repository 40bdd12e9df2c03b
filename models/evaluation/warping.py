"""How well generated speech keeps the time of the recording it replaces. Letters: n samples, t frames of 10 ms."""

from dataclasses import dataclass

import numpy as np

from media.audio_io import resample
from models.evaluation.speech import inside, speech_spans
from schemas.errors import MediaError

_SAMPLE_RATE_HZ = 16_000
_HOP = 160
_FFT = 512
_WINDOW = 400
_COEFFICIENTS = 20  # the first of them, loudness, is left out
_NEAR_MS = 80.0


@dataclass(frozen=True)
class Timing:
    """Time differences along the path, generated less recorded, inside the recording's speech.

    deviation_ms: mean of their sizes. bias_ms: their median, positive where the generated speech is late.
    jitter_ms: mean size after the median is taken off. within_80: share of at most 80 ms, 0 to 1.
    """

    deviation_ms: float
    bias_ms: float
    jitter_ms: float
    within_80: float


def timing(generated: np.ndarray, generated_rate_hz: int, recording: np.ndarray, recording_rate_hz: int) -> Timing:
    """Warp mono generated speech onto the true recording ([n] each) and measure by how much time it had to move.

    MFCC 1 to 19 each 10 ms, normalised over the clip; dynamic time warping by cosine distance; only points of the
    path inside the recording's speech count. Both sounds begin at the same time. Takes memory as the product of the
    two lengths: 0.3 GB for a minute.

    Raises:
        MediaError: the recording holds no speech, or the generated sound is silent or empty.
    """
    import librosa

    for name, samples in (("generated sound", generated), ("recording", recording)):
        if len(samples) == 0:
            raise MediaError(f"the {name} holds no samples: its timing cannot be measured")
    spans = speech_spans(recording, recording_rate_hz)
    if not spans:
        raise MediaError("no speech was found in the recording: timing is measured only inside speech")
    own, true = mfcc(generated, generated_rate_hz), mfcc(recording, recording_rate_hz)
    if not own.any():
        raise MediaError("the generated sound is silent: its timing cannot be measured")
    path = librosa.sequence.dtw(own, true, metric="cosine")[1]
    counts = inside(path[:, 1] * _HOP / _SAMPLE_RATE_HZ, spans)
    moved_ms = (path[counts, 0] - path[counts, 1]) * (1000.0 * _HOP / _SAMPLE_RATE_HZ)
    return _summed_up(moved_ms)


def mfcc(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """MFCC 1 to 19 of mono sound [n], each of mean 0 and deviation 1 over the clip: [19, t], t = n // 160 + 1."""
    import librosa

    wave = resample(samples, sample_rate_hz, _SAMPLE_RATE_HZ)
    taken = librosa.feature.mfcc(
        y=wave, sr=_SAMPLE_RATE_HZ, n_mfcc=_COEFFICIENTS, n_fft=_FFT, win_length=_WINDOW, hop_length=_HOP
    )[1:]
    deviation = taken.std(axis=1, keepdims=True)
    normalised: np.ndarray = (taken - taken.mean(axis=1, keepdims=True)) / np.maximum(deviation, 1e-6)
    return normalised


def _summed_up(moved_ms: np.ndarray) -> Timing:
    bias_ms = float(np.median(moved_ms))
    return Timing(
        deviation_ms=float(np.abs(moved_ms).mean()),
        bias_ms=bias_ms,
        jitter_ms=float(np.abs(moved_ms - bias_ms).mean()),
        within_80=float((np.abs(moved_ms) <= _NEAR_MS + 1e-6).mean()),
    )
