"""Loudness and true peak after ITU-R BS.1770-4, and normalisation to a named profile.

Letters: n samples, c channels. Works through long sound in chunks, so that memory stays that of the sound itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import firwin, sosfilt, upfirdn

from media.channels import channel_names
from schemas.dub import Profile

ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
STEPS_PER_BLOCK = 4  # gating blocks of 400 ms start every 100 ms
OVERSAMPLING = 4
CHUNK_SAMPLES = 1 << 18
LOOKAHEAD_S = 0.005
RELEASE_S = 0.06
RELEASED_S = 1.0  # after which what is left of a gain reduction is below float32's resolution
LIMITER_MARGIN_DB = 0.1  # the gain still moves a little between a peak's neighbours
PASSES = 6
_SURROUND = ("SL", "SR")
_MARGIN = 12  # input samples that the oversampling filter reaches to either side
_TAPS = firwin(2 * _MARGIN * OVERSAMPLING + 1, 1 / OVERSAMPLING, window=("kaiser", 6.0))
_OVERSAMPLER = (_TAPS * OVERSAMPLING).astype(np.float32)


@dataclass(frozen=True)
class LoudnessProfile:
    """What a delivery must measure."""

    name: Profile
    integrated_lufs: float
    true_peak_dbtp: float
    tolerance_lu: float


PROFILES: Mapping[Profile, LoudnessProfile] = MappingProxyType(
    {
        "stream-16": LoudnessProfile("stream-16", -16.0, -1.5, 0.5),
        "ebu-23": LoudnessProfile("ebu-23", -23.0, -1.0, 0.5),  # EBU R 128
    }
)


@dataclass(frozen=True)
class Normalised:
    """Sound at a profile's loudness, and what it took.

    Attributes:
        samples: As given, [n] or [n, c] float32.
        gain_db: The one gain given to every sample.
        limited_samples: How many samples the limiter turned down further (n at most, not n * c).
        integrated_lufs: Measured on `samples`; None where they are silent or shorter than 0.4 s.
        true_peak_dbtp: Measured on `samples`.
    """

    samples: np.ndarray
    gain_db: float
    limited_samples: int
    integrated_lufs: float | None
    true_peak_dbtp: float


def integrated_lufs(samples: np.ndarray, sample_rate_hz: int, channel_layout: str | None = None) -> float | None:
    """Measure the gated loudness of [n] or [n, c]; None where it is silent or shorter than 0.4 s.

    The low-frequency channel does not count; side channels count 1.5 dB more.

    Source: ITU-R BS.1770-4, annex 1.
    """
    sound = _columns(samples)
    weights = _channel_weights(sound.shape[1], channel_layout)
    steps = _step_powers(sound, sample_rate_hz) @ weights
    if len(steps) < STEPS_PER_BLOCK:
        return None
    blocks = np.convolve(steps, np.full(STEPS_PER_BLOCK, 1 / STEPS_PER_BLOCK), mode="valid")
    loud = blocks[_lufs(blocks) > ABSOLUTE_GATE_LUFS]
    if not loud.size:
        return None
    gated = loud[_lufs(loud) > _lufs(loud.mean()) + RELATIVE_GATE_LU]
    return float(_lufs(gated.mean()))


def true_peak_dbtp(samples: np.ndarray, sample_rate_hz: int) -> float:  # noqa: ARG001 (4x is enough at every rate)
    """Measure the highest level between the samples, 4 times oversampled, in dB re full scale; silence: -inf.

    Source: ITU-R BS.1770-4, annex 2, with a longer filter.
    """
    highest = max((float(peaks.max()) for _, peaks in _chunk_peaks(_columns(samples))), default=0.0)
    return float(_decibels(highest))


def normalise(
    samples: np.ndarray, sample_rate_hz: int, profile: LoudnessProfile, channel_layout: str | None = None
) -> Normalised:
    """Bring [n] or [n, c] to a profile by one gain, and turn down only what would pass its peak.

    Silence stays as it is. What the limiter takes from the loudness is given back by a higher gain.
    """
    before = integrated_lufs(samples, sample_rate_hz, channel_layout)
    if before is None:
        peak_dbtp = true_peak_dbtp(samples, sample_rate_hz)
        return Normalised(np.array(samples, np.float32), 0.0, 0, None, peak_dbtp)
    gain_db = profile.integrated_lufs - before
    for _ in range(PASSES):
        limited, count = _limit(_columns(samples), gain_db, profile.true_peak_dbtp, sample_rate_hz)
        after = integrated_lufs(limited, sample_rate_hz, channel_layout)
        missing_lu = profile.integrated_lufs - after if after is not None else 0.0
        if abs(missing_lu) < profile.tolerance_lu / 10:
            break
        gain_db += missing_lu
    peak_dbtp = true_peak_dbtp(limited, sample_rate_hz)
    return Normalised(limited.reshape(np.shape(samples)), gain_db, count, after, peak_dbtp)


def k_weighting(sample_rate_hz: int) -> np.ndarray:
    """Return the second-order sections of the K filter at any rate.

    Source: the analogue prototype of BS.1770's 48 kHz coefficients, as libebur128 (MIT) derives it.
    """
    tangent = np.tan(np.pi * 1681.974450955533 / sample_rate_hz)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    middle = high**0.4996667741545416
    norm = 1 + tangent / q + tangent**2
    shelf = [
        (high + middle * tangent / q + tangent**2) / norm,
        2 * (tangent**2 - high) / norm,
        (high - middle * tangent / q + tangent**2) / norm,
        1,
        2 * (tangent**2 - 1) / norm,
        (1 - tangent / q + tangent**2) / norm,
    ]
    tangent, q = np.tan(np.pi * 38.13547087602444 / sample_rate_hz), 0.5003270373238773
    norm = 1 + tangent / q + tangent**2
    high_pass = [1, -2, 1, 1, 2 * (tangent**2 - 1) / norm, (1 - tangent / q + tangent**2) / norm]
    return np.array([shelf, high_pass])


def _columns(samples: np.ndarray) -> np.ndarray:
    return samples[:, None] if samples.ndim == 1 else samples


def _lufs(power: np.ndarray | float) -> np.ndarray:
    return -0.691 + 10 * np.log10(np.maximum(power, 1e-30))


def _decibels(amplitude: float) -> float:
    return float(20 * np.log10(amplitude)) if amplitude > 0 else -np.inf


def _channel_weights(channels: int, layout: str | None) -> np.ndarray:
    weight = {"LFE": 0.0} | dict.fromkeys(_SURROUND, 1.41)
    names = channel_names(channels, layout)
    if not set(names) & set(_SURROUND):  # in 5.1 the pair called back stands where BS.1770 has its surrounds
        weight |= {"BL": 1.41, "BR": 1.41}
    return np.array([weight.get(name, 1.0) for name in names])


def _step_powers(sound: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Return the K-weighted mean square of every whole 100 ms, [steps, c]."""
    step = max(1, round(sample_rate_hz / 10))
    sections = k_weighting(sample_rate_hz)
    state = np.zeros((len(sections), 2, sound.shape[1]))
    powers = [np.zeros((0, sound.shape[1]))]
    chunk = step * max(1, CHUNK_SAMPLES // step)
    for start in range(0, len(sound), chunk):
        weighted, state = sosfilt(sections, sound[start : start + chunk], axis=0, zi=state)
        whole = len(weighted) // step
        powers.append(np.mean(weighted[: whole * step].reshape(whole, step, -1) ** 2, axis=1))
    return np.concatenate(powers)


def _chunk_peaks(sound: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (first sample, true peak around each sample over all channels) of successive chunks."""
    for start in range(0, len(sound), CHUNK_SAMPLES):
        yield start, _peaks(sound, start, min(len(sound), start + CHUNK_SAMPLES))


def _peaks(sound: np.ndarray, start: int, end: int) -> np.ndarray:
    """Return the highest level of all channels from each sample of [start, end) up to the next one, [end - start]."""
    first, last = max(0, start - _MARGIN), min(len(sound), end + _MARGIN)
    peaks = np.zeros(end - start)
    for channel in range(sound.shape[1]):
        dense = np.abs(upfirdn(_OVERSAMPLER, sound[first:last, channel].astype(np.float32), up=OVERSAMPLING))
        offset = (_MARGIN + start - first) * OVERSAMPLING  # the filter delays by its margin
        per_sample = dense[offset : offset + (end - start) * OVERSAMPLING]
        padded = np.zeros((end - start) * OVERSAMPLING)
        padded[: len(per_sample)] = per_sample
        np.maximum(peaks, padded.reshape(-1, OVERSAMPLING).max(axis=1), out=peaks)
    return peaks


def _limit(sound: np.ndarray, gain_db: float, ceiling_dbtp: float, sample_rate_hz: int) -> tuple[np.ndarray, int]:
    """Apply one gain and a look-ahead limiter; return the sound and how many samples the limiter touched."""
    amplified = (sound * 10 ** (gain_db / 20)).astype(np.float32)
    ceiling = 10 ** ((ceiling_dbtp - LIMITER_MARGIN_DB) / 20)
    touched = 0
    for start, end in _loud_spans(amplified, ceiling, sample_rate_hz):
        gain = _limiter_gain(_peaks(amplified, start, end), ceiling, sample_rate_hz)
        amplified[start:end] *= gain[:, None].astype(np.float32)
        touched += int(np.count_nonzero(gain < 1 - 1e-4))
    return amplified, touched


def _loud_spans(sound: np.ndarray, ceiling: float, sample_rate_hz: int) -> list[tuple[int, int]]:
    """Return the spans of samples that a limiter may touch, [start, end), in order and apart."""
    before, after = round(2 * LOOKAHEAD_S * sample_rate_hz), round(RELEASED_S * sample_rate_hz)
    loud = np.concatenate([np.flatnonzero(peaks > ceiling) + first for first, peaks in _chunk_peaks(sound)])
    runs = np.split(loud, np.flatnonzero(np.diff(loud) > before + after) + 1) if loud.size else []
    return [(max(0, int(run[0]) - before), min(len(sound), int(run[-1]) + after)) for run in runs]


def _limiter_gain(peaks: np.ndarray, ceiling: float, sample_rate_hz: int) -> np.ndarray:
    """Return a smooth gain that keeps every peak at the ceiling or below, [n].

    The needed reduction is held for the look-ahead, released exponentially and averaged over the look-ahead:
    an average of values that all suffice for a peak suffices too.
    """
    reduction = 1 - np.minimum(1.0, ceiling / np.maximum(peaks, 1e-12))
    window = 2 * round(LOOKAHEAD_S * sample_rate_hz / 2) + 1
    decay = np.arange(len(peaks)) / (RELEASE_S * sample_rate_hz)
    with np.errstate(divide="ignore"):
        released = np.exp(np.maximum.accumulate(np.log(reduction) + decay) - decay)
    held = maximum_filter1d(released, size=2 * window + 1, mode="nearest")
    for _ in range(2):  # two boxes make a triangle as wide as the window
        held = uniform_filter1d(held, size=window // 2, mode="nearest")
    return 1 - held
