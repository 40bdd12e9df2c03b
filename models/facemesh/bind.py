"""Whose face speaks a line: the visible face whose mouth moves with it.

Source: the idea of active speaker detection (Roth et al. 2020, arXiv:1901.01342) reduced to mouth movement.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d

from models.facemesh.space import FPS, MOUTH_DIMS
from models.track_motion import TrackMotion
from schemas.media import TimeSpan
from schemas.motion import Faces, FaceTrack, LineFaces
from schemas.speech import Line

_NAMED = (MOUTH_DIMS.index("aperture"), MOUTH_DIMS.index("width"))
_WEIGHTS = np.array((1.0, 0.5))
_SPEAKS_FROM = 0.2
"""Inter-ocular distances a second. Measured: speaking mouths 0.25 to 1.3, still ones 0.02 to 0.17."""
_SYLLABLES = 12
_SEEN = 0.35
_SHORTEST_SHARE_S = 0.2
_ENVELOPE_WEIGHT = 0.5
_IDLE_WEIGHT = 0.25


def bind_lines(
    lines: Sequence[Line],
    faces: Faces,
    motions: Mapping[str, TrackMotion],
    loudness_envelope: np.ndarray | None,
) -> tuple[LineFaces, ...]:
    """Say for each line which face tracks show its speaker: at most one for each shot that the line runs through.

    Args:
        lines: In time order.
        faces: Shots and tracks of the video.
        motions: Motion of each track, by its id.
        loudness_envelope: Dialogue level (RMS) at 25 values a second from time 0, or None.

    Returns: One entry for each line, in order; without track ids where the speaker is not seen.
    """
    return tuple(_bind_line(line, faces, motions, loudness_envelope) for line in lines)


def _bind_line(line: Line, faces: Faces, motions: Mapping[str, TrackMotion], envelope: np.ndarray | None) -> LineFaces:
    chosen, scores = [], []
    for shot, span in enumerate(faces.shots):
        if line.span.overlap_s(span) < min(_SHORTEST_SHARE_S, line.span.duration_s / 2):
            continue
        part = TimeSpan(start_s=max(line.span.start_s, span.start_s), end_s=min(line.span.end_s, span.end_s))
        candidates = [track for track in faces.tracks if track.shot == shot and track.id in motions]
        best = _speaking_track(candidates, motions, part, envelope)
        if best is not None:
            chosen.append(best[0])
            scores.append(best[1])
    return LineFaces(line_id=line.id, track_ids=tuple(chosen), score=float(np.mean(scores)) if scores else 0.0)


def _speaking_track(
    candidates: Sequence[FaceTrack],
    motions: Mapping[str, TrackMotion],
    part: TimeSpan,
    envelope: np.ndarray | None,
) -> tuple[str, float] | None:
    """The track that speaks in this part of a line, and its score in inter-ocular distances a second."""
    scored = []
    for track in candidates:
        speed = mouth_speed(motions[track.id])
        inside = _seen_inside(motions[track.id], part)
        if inside.sum() < _SHORTEST_SHARE_S * FPS:
            continue
        moves = typical_speed(speed[inside])
        scored.append((moves * _evidence(motions[track.id], speed, inside, envelope), moves, track.id))
    if not scored:
        return None
    score, moves, track_id = max(scored)
    return (track_id, score) if moves >= _SPEAKS_FROM else None


def mouth_speed(track: TrackMotion) -> np.ndarray:
    """How fast the mouth moves [T], in inter-ocular distances a second."""
    mouth = track.motion.mouth[:, _NAMED].astype(np.float64)
    if len(mouth) < 3:
        return np.zeros(len(mouth))
    steady = gaussian_filter1d(mouth, 0.8, axis=0, mode="nearest")
    return np.abs(np.gradient(steady, axis=0)) @ _WEIGHTS * FPS


def typical_speed(speed: np.ndarray) -> float:
    """Take the median over half-second stretches: one smile or yawn is not speech."""
    stretches = [
        speed[i : i + _SYLLABLES].mean() for i in range(0, max(1, len(speed) - _SYLLABLES // 2), _SYLLABLES // 2)
    ]
    return float(np.median(stretches))


def _seen_inside(track: TrackMotion, part: TimeSpan) -> np.ndarray:
    times_s = track.times_s()
    return (times_s >= part.start_s) & (times_s < part.end_s) & (track.motion.visible >= _SEEN)


def _evidence(track: TrackMotion, speed: np.ndarray, inside: np.ndarray, envelope: np.ndarray | None) -> float:
    """A factor around 1: more where the face is quieter outside the line and moves when it is loud."""
    factor = 1.0
    outside = ~inside & (track.motion.visible >= _SEEN)
    if outside.sum() >= FPS / 2:
        own, idle = speed[inside].mean(), speed[outside].mean()
        factor += _IDLE_WEIGHT * float((own - idle) / (own + idle + 1e-9))
    if envelope is not None and len(envelope):
        factor += _ENVELOPE_WEIGHT * max(0.0, _correlation(track, speed, inside, envelope))
    return factor


def _correlation(track: TrackMotion, speed: np.ndarray, inside: np.ndarray, envelope: np.ndarray) -> float:
    """Movement against loudness, both smoothed to syllables."""
    places = np.clip(np.round(track.times_s()[inside] * FPS).astype(int), 0, len(envelope) - 1)
    loud = gaussian_filter1d(np.log(np.asarray(envelope, dtype=np.float64)[places] + 1e-4), 2.0)
    moving = gaussian_filter1d(speed[inside], 2.0)
    if len(loud) < 5 or np.ptp(loud) < 1e-9 or np.ptp(moving) < 1e-9:
        return 0.0
    return float(np.corrcoef(loud, moving)[0, 1])
