"""Log-mel frames of speech, made alike for every voice and level. Letters: n samples, t mel frames, b bands."""

from functools import lru_cache

import numpy as np

from media.audio_io import resample

SAMPLE_RATE_HZ = 16_000
FRAME_RATE_HZ = 100
BANDS = 32

_HOP = SAMPLE_RATE_HZ // FRAME_RATE_HZ
_WINDOW = 320  # short and with few bands, so that a voice's harmonics hardly show
_FFT = 512
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7600.0
_RANGE = (-3.0, 2.5)  # so digital silence looks like a quiet room
_ACTIVE_DECADES = 3.0


def mel_features(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Return [t, 32] float32: decades of power relative to the voice's mean spectrum, t = ceil(100 · seconds) >= 1.

    Frame i is centred at i / 100 s. The mean over the frames with speech is taken off each band, which removes
    level, microphone and most of the voice; frames without speech stay well below zero.
    """
    power = _mel_power(resample(samples, sample_rate_hz, SAMPLE_RATE_HZ))
    loudness = power.sum(axis=1)
    loudest = max(float(loudness.max(initial=0.0)), 1e-9)
    decades = np.log10(np.maximum(power, loudest * 1e-9))
    active = loudness > loudest * 10.0**-_ACTIVE_DECADES
    spectrum = decades[active].mean(axis=0) if active.any() else np.log10(loudest)
    features: np.ndarray = np.clip(decades - spectrum, *_RANGE).astype(np.float32)
    return features


def _mel_power(samples: np.ndarray) -> np.ndarray:
    frames = max(1, -(-len(samples) // _HOP))
    half = _FFT // 2
    padded = np.pad(samples, (half, half + frames * _HOP - len(samples)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[: frames * _HOP : _HOP]
    spectrum = np.abs(np.fft.rfft(windows * _window(), axis=1)) ** 2
    return np.asarray(spectrum @ mel_filters().T)


def _window() -> np.ndarray:
    margin = (_FFT - _WINDOW) // 2
    return np.pad(np.hanning(_WINDOW), margin)


@lru_cache(maxsize=1)
def mel_filters() -> np.ndarray:
    """Triangles of equal area, evenly spaced in mel: [32, 257] (Slaney's normalisation, O'Shaughnessy's mel)."""
    edges_mel = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), BANDS + 2)
    edges_hz = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    bins_hz = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE_HZ)
    rising = (bins_hz - edges_hz[:-2, None]) / (edges_hz[1:-1] - edges_hz[:-2])[:, None]
    falling = (edges_hz[2:, None] - bins_hz) / (edges_hz[2:] - edges_hz[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return triangles * (2.0 / (edges_hz[2:] - edges_hz[:-2]))[:, None]


def _mel(frequency_hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + frequency_hz / 700.0))
