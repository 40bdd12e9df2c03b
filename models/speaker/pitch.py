"""The pitch of a voice. Letters: n samples, t frames, l lags."""

import numpy as np

from models.speaker.mel import SAMPLE_RATE_HZ

_LOWEST_HZ = 60.0
_HIGHEST_HZ = 420.0
_FRAME = 1024
_HOP = 320
_VOICED = 0.55
_FEWEST_FRAMES = 8


def median_f0_hz(samples_16k: np.ndarray) -> float | None:
    """Estimate the median fundamental frequency of the voiced frames, or None where hardly any is voiced.

    Normalised autocorrelation of the loud frames, and the shortest lag near the best one, which
    guards against octave errors downwards.

    Source: de Cheveigné & Kawahara 2002 (YIN) for the picking of the shortest good lag.
    """
    frames = _loud_frames(samples_16k)
    if len(frames) == 0:
        return None
    lags = np.arange(int(SAMPLE_RATE_HZ / _HIGHEST_HZ), int(SAMPLE_RATE_HZ / _LOWEST_HZ) + 1)
    likeness = _normalised_autocorrelation(frames)[:, lags]
    best = likeness.max(axis=1)
    voiced = likeness[best > _VOICED]
    if len(voiced) < _FEWEST_FRAMES:
        return None
    return float(np.median([SAMPLE_RATE_HZ / _first_good_lag(row, lags) for row in voiced]))


def _loud_frames(samples: np.ndarray) -> np.ndarray:
    if len(samples) < _FRAME:
        return np.zeros((0, _FRAME), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    level = np.sqrt((frames**2).mean(axis=1))
    return frames[level > max(1e-4, 0.25 * float(np.quantile(level, 0.95)))]


def _normalised_autocorrelation(frames: np.ndarray) -> np.ndarray:
    """[t, n] -> [t, n]: the correlation of a frame with itself shifted, over the part where both lie."""
    spectrum = np.fft.rfft(frames, 2 * _FRAME, axis=1)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :_FRAME]
    energy = np.cumsum(frames**2, axis=1)
    head = energy[:, ::-1]  # energy of the first n - lag samples
    tail = energy[:, -1:] - np.concatenate([np.zeros((len(frames), 1)), energy[:, :-1]], axis=1)
    return correlation / np.maximum(np.sqrt(head * tail), 1e-9)


def _first_good_lag(likeness: np.ndarray, lags: np.ndarray) -> float:
    inner = likeness[1:-1]
    peaks = np.flatnonzero((inner >= likeness[:-2]) & (inner >= likeness[2:])) + 1
    good = peaks[likeness[peaks] >= 0.9 * likeness.max()]
    if len(good) == 0:
        return float(lags[int(np.argmax(likeness))])
    peak = int(good[0])
    left, middle, right = likeness[peak - 1 : peak + 2]
    curve = left - 2 * middle + right
    return float(lags[peak] + (0.5 * (left - right) / curve if curve < 0 else 0.0))
