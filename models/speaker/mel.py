"""Log-mel frames as the packaged speaker encoder was trained on. Letters: n samples, t frames."""

from functools import lru_cache

import numpy as np

SAMPLE_RATE_HZ = 16_000
FRAMES_PER_SECOND = 100
_FFT = 512
_WINDOW = 400
_HOP = 160
_MELS = 40


def log_mel(samples_16k: np.ndarray) -> np.ndarray:
    """Turn audio [n] into log10 mel power [t, 40], 100 frames a second, no padding."""
    if len(samples_16k) < _FFT:
        return np.zeros((0, _MELS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples_16k.astype(np.float32), _FFT)[::_HOP]
    power = np.abs(np.fft.rfft(frames * _padded_hamming(), axis=1)) ** 2
    return np.log10(power @ _filterbank().T + 1e-6).astype(np.float32)


@lru_cache(maxsize=1)
def _padded_hamming() -> np.ndarray:
    periodic = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
    margin = (_FFT - _WINDOW) // 2
    return np.pad(periodic, (margin, _FFT - _WINDOW - margin)).astype(np.float32)


@lru_cache(maxsize=1)
def _filterbank() -> np.ndarray:
    """Slaney-style triangles of unit area, [40, 257].

    Source: Slaney, Auditory Toolbox (1998); the same numbers as `librosa.filters.mel`, whose import costs seconds.
    """
    bins_hz = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE_HZ)
    edges_hz = _mel_to_hz(np.linspace(0.0, _hz_to_mel(SAMPLE_RATE_HZ / 2), _MELS + 2))
    rising = (bins_hz - edges_hz[:-2, None]) / np.diff(edges_hz)[:-1, None]
    falling = (edges_hz[2:, None] - bins_hz) / np.diff(edges_hz)[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * (2.0 / (edges_hz[2:] - edges_hz[:-2]))[:, None]).astype(np.float32)


_LINEAR_HZ_PER_MEL = 200.0 / 3
_LOG_FROM_HZ = 1000.0
_LOG_FROM_MEL = _LOG_FROM_HZ / _LINEAR_HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0


def _hz_to_mel(frequency_hz: float) -> float:
    return float(_LOG_FROM_MEL + np.log(frequency_hz / _LOG_FROM_HZ) / _LOG_STEP)


def _mel_to_hz(mels: np.ndarray) -> np.ndarray:
    linear = _LINEAR_HZ_PER_MEL * mels
    return np.where(mels < _LOG_FROM_MEL, linear, _LOG_FROM_HZ * np.exp(_LOG_STEP * (mels - _LOG_FROM_MEL)))
