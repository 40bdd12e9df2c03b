"""Where speech begins, ends and pauses, from its energy alone.

A frame is 5 ms. Sound is active where it is both near enough to the speech's own level and clear of the noise;
it is speech where, without a break, it also gets really loud. So a breath before a word does not count, a weak
fricative that runs into a vowel does.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfilt

from schemas.media import TimeSpan

FRAME_S = 0.005
RUMBLE_HZ = 80.0
SPEECH_FRAMES = 20  # the level that speech exceeds for 0.1 s
FLOOR_PERCENTILE = 10
ACTIVE_BELOW_SPEECH_DB = 25.0
ACTIVE_ABOVE_FLOOR_DB = 8.0
LOUD_BELOW_SPEECH_DB = 15.0
LOUD_ABOVE_ACTIVE_DB = 3.0
LOUD_S = 0.03  # a click is shorter
BRIDGED_S = 0.06  # closures of stops are no breaks
SILENCE_DB = -60.0
_DIGITAL_SILENCE = 1e-12


@dataclass(frozen=True)
class _Thresholds:
    active_db: float
    loud_db: float


def speech_onset_s(samples: np.ndarray, sample_rate_hz: int, search: TimeSpan) -> float | None:
    """Return when speech first begins in a span of mono sound [n], to 5 ms; None where there is none.

    Speech that is under way where the span begins has its onset there.
    """
    runs = _speech_runs_in(samples, sample_rate_hz, search)
    return runs[0].start_s if runs else None


def speech_offset_s(samples: np.ndarray, sample_rate_hz: int, search: TimeSpan) -> float | None:
    """Return when speech last ends in a span of mono sound [n], to 5 ms; None where there is none."""
    runs = _speech_runs_in(samples, sample_rate_hz, search)
    return runs[-1].end_s if runs else None


def active_spans(samples: np.ndarray, sample_rate_hz: int, *, min_gap_s: float = 0.15) -> tuple[TimeSpan, ...]:
    """Return the spans of mono sound [n] that hold speech; gaps shorter than `min_gap_s` are part of it."""
    merged: list[TimeSpan] = []
    for run in _speech_runs(samples, sample_rate_hz):
        if merged and run.start_s - merged[-1].end_s < min_gap_s - FRAME_S / 10:
            merged[-1] = TimeSpan(start_s=merged[-1].start_s, end_s=run.end_s)
        else:
            merged.append(run)
    return tuple(merged)


def residual_dialogue(dub: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Take the background, at the one gain it has in the dub, out of it; return the voice as mono [n].

    Args:
        dub: [n, c], decoded from a delivery: background and dialogue at an unknown common gain.
        background: [m, c], as it was before; what it lacks of n counts as silent.

    Raises: ValueError, where the channels differ.
    """
    if dub.ndim != 2 or background.ndim != 2 or dub.shape[1] != background.shape[1]:
        raise ValueError(f"dub {dub.shape} and background {background.shape} must be [n, c] of the same channels")
    length, channels = min(len(dub), len(background)), dub.shape[1]
    common, alone = dub[:length].ravel(), background[:length].ravel()
    power = float(np.vdot(alone, alone))
    gain = float(np.vdot(alone, common)) / power if power > 0 else 0.0
    voice = dub.astype(np.float32)
    voice[:length] -= np.float32(gain) * background[:length]
    return voice.sum(axis=1) / min(channels, 2)  # of stereo the mean, of more the centre stays audible


def _speech_runs_in(samples: np.ndarray, sample_rate_hz: int, search: TimeSpan) -> list[TimeSpan]:
    first, last = (max(0, round(time_s * sample_rate_hz)) for time_s in (search.start_s, search.end_s))
    offset_s = first / sample_rate_hz
    return [
        TimeSpan(start_s=run.start_s + offset_s, end_s=run.end_s + offset_s)
        for run in _speech_runs(samples[first:last], sample_rate_hz)
    ]


def _speech_runs(samples: np.ndarray, sample_rate_hz: int) -> list[TimeSpan]:
    levels_db = _frame_levels_db(samples, sample_rate_hz)
    thresholds = _thresholds(levels_db)
    if thresholds is None:
        return []
    loud = levels_db >= thresholds.loud_db
    return [
        TimeSpan(start_s=start * FRAME_S, end_s=min(end * FRAME_S, len(samples) / sample_rate_hz))
        for start, end in _runs(levels_db >= thresholds.active_db)
        if np.count_nonzero(loud[start:end]) * FRAME_S >= LOUD_S
    ]


def _frame_levels_db(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Return the level of each whole 5 ms above the rumble, dB re full scale."""
    if samples.ndim != 1:
        raise ValueError(f"speech is looked for in mono sound [n], these samples are {samples.shape}")
    edges = np.round(np.arange(int(len(samples) / (FRAME_S * sample_rate_hz)) + 1) * FRAME_S * sample_rate_hz)
    edges = edges[edges <= len(samples)].astype(int)
    if len(edges) < 2:
        return np.zeros(0)
    high_passed = sosfilt(butter(2, RUMBLE_HZ, "highpass", fs=sample_rate_hz, output="sos"), samples[: edges[-1]])
    powers = np.add.reduceat(high_passed**2, edges[:-1]) / np.diff(edges)
    return 10 * np.log10(np.maximum(powers, _DIGITAL_SILENCE))


def _thresholds(levels_db: np.ndarray) -> _Thresholds | None:
    """Return what counts as active and as loud; None where nothing stands out of silence or steady noise."""
    if len(levels_db) < SPEECH_FRAMES:
        return None
    speech_db = float(np.partition(levels_db, -SPEECH_FRAMES)[-SPEECH_FRAMES])
    floor_db = float(np.percentile(levels_db, FLOOR_PERCENTILE))
    active_db = max(speech_db - ACTIVE_BELOW_SPEECH_DB, floor_db + ACTIVE_ABOVE_FLOOR_DB)
    loud_db = max(speech_db - LOUD_BELOW_SPEECH_DB, active_db + LOUD_ABOVE_ACTIVE_DB)
    return _Thresholds(active_db, loud_db) if speech_db > SILENCE_DB and loud_db <= speech_db else None


def _runs(active: np.ndarray) -> list[tuple[int, int]]:
    """Return the runs of active frames, [start, end), over breaks of up to 60 ms."""
    indices = np.flatnonzero(active)
    if not indices.size:
        return []
    breaks = np.flatnonzero(np.diff(indices) > round(BRIDGED_S / FRAME_S) + 1)
    return [(int(run[0]), int(run[-1]) + 1) for run in np.split(indices, breaks + 1)]
