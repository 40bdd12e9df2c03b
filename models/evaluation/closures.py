"""Whether a mouth closes where /p b m/ are heard. Letters: k frames of the mouth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schemas.errors import LengthMismatch, RequestError
from schemas.media import TimeSpan

_REACH_FRAMES = 2
_SHIFTS_FRAMES = (-10, -5, 0, 5, 10)
_LOW_PERCENTILE, _HIGH_PERCENTILE = 5.0, 95.0
_CLOSED_SHARE = 0.1
_LEVEL_SHARE = 0.25


@dataclass(frozen=True)
class MouthTrack:
    """Aperture [k], in any unit, which frames show the mouth [k] (above 0), and their rate.

    `closed_below`: the aperture under which the mouth counts as closed.
    """

    aperture: np.ndarray
    visible: np.ndarray
    closed_below: float
    frame_rate_hz: float = 25.0


@dataclass(frozen=True)
class ClosureScore:
    """Of n closures that could be seen.

    hit_rate: share with a closed mouth at them. false_open_rate: share of the frames that lie inside closures and at
    which the mouth is open. closed_elsewhere: share of the other visible frames that are closed, for comparison: a
    mouth that never opens hits everything. Give frames without speech as not visible where they are not to count.
    """

    n: int
    hit_rate: float
    false_open_rate: float
    closed_elsewhere: float


def closed_threshold(aperture: np.ndarray, visible: np.ndarray) -> float:
    """Below which aperture this track's mouth counts as closed: a tenth of the way from its 5th to 95th percentile.

    The track must hold both closed and open frames; a mouth that never closes gets a threshold all the same, so
    take it from the true track where there is one, and use it for both.

    Raises:
        RequestError: the mouth is visible in no frame.
    """
    seen = aperture[np.asarray(visible) > 0]
    if len(seen) == 0:
        raise RequestError("the mouth is visible in no frame: closures cannot be judged")
    low, high = np.percentile(seen, (_LOW_PERCENTILE, _HIGH_PERCENTILE))
    return float(low + _CLOSED_SHARE * (high - low))


def score_closures(closures: Sequence[TimeSpan], track: MouthTrack, shift_frames: int = 0) -> ClosureScore:
    """Judge a mouth by the spans of /p b m/; a shift moves the spans later, as if the sound were.

    A closure is hit where, from two frames before it to two frames after, the aperture has a local minimum below
    the threshold; differences below a quarter of the way from the track's lowest frame to the threshold are noise, so
    that lips held together are at a minimum all along. It counts only where the mouth is visible in all those frames,
    and they exist.

    Raises:
        LengthMismatch: aperture and visibility have not equally many frames.
        RequestError: no closure can be seen.
    """
    aperture, visible = np.asarray(track.aperture, float), np.asarray(track.visible) > 0
    if aperture.shape != visible.shape or aperture.ndim != 1:
        raise LengthMismatch(f"aperture {aperture.shape} and visibility {visible.shape}: give one of each a frame")
    closed = aperture < track.closed_below
    level = _LEVEL_SHARE * max(0.0, track.closed_below - float(aperture[visible].min(initial=np.inf)))
    lowest = _minima(aperture, level) & closed
    held = np.zeros(len(aperture), bool)
    hits = []
    for closure in closures:
        first = round(closure.start_s * track.frame_rate_hz) + shift_frames
        last = max(first, round(closure.end_s * track.frame_rate_hz) - 1 + shift_frames)
        window = slice(first - _REACH_FRAMES, last + _REACH_FRAMES + 1)
        if window.start < 0 or window.stop > len(aperture) or not visible[window].all():
            continue
        hits.append(bool(lowest[window].any()))
        held[first : last + 1] = True
    if not hits:
        raise RequestError(f"none of {len(closures)} closures lies where the mouth is visible: give another clip")
    elsewhere = visible & ~held
    return ClosureScore(
        n=len(hits),
        hit_rate=float(np.mean(hits)),
        false_open_rate=float((~closed[held]).mean()),
        closed_elsewhere=float(closed[elsewhere].mean()) if elsewhere.any() else 0.0,
    )


def score_shifted(closures: Sequence[TimeSpan], track: MouthTrack) -> dict[int, ClosureScore]:
    """The score with the sound shifted by -10, -5, 0, 5 and 10 frames, where closures are left to be seen.

    Raises:
        RequestError: none is left without a shift.
    """
    scores = {0: score_closures(closures, track)}
    for shift_frames in _SHIFTS_FRAMES:
        try:
            scores[shift_frames] = score_closures(closures, track, shift_frames)
        except RequestError:
            continue
    return dict(sorted(scores.items()))


def _minima(aperture: np.ndarray, level: float) -> np.ndarray:
    """Which frames [k] are higher than neither neighbour by more than `level`; a frame at the end has one."""
    padded = np.pad(aperture, 1, constant_values=np.inf)
    return np.asarray((aperture <= padded[:-2] + level) & (aperture <= padded[2:] + level))
