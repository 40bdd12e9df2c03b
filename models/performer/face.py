"""The face that speaks, over any stretch of a video. Letters: t frames, m mouth numbers, r rest numbers."""

from collections.abc import Sequence

import numpy as np

from models.facemesh.tracks import TrackArrays
from models.motion import Motion
from models.track_motion import TrackMotion, resample
from schemas.motion import MotionSpace

SEEN = 0.5
LEAST_SEEN_SHARE = 0.6
"""Of a line's time in which the mouth must be seen for the voice to follow it."""


def face_over(space: MotionSpace, tracks: Sequence[TrackMotion], start_s: float, frames: int) -> Motion:
    """Put the tracks of one person together from `start_s` on: `frames` of motion, unseen where no track lies."""
    mouth, rest = (np.zeros((frames, len(dims)), np.float32) for dims in (space.mouth_dims, space.rest_dims))
    visible = np.zeros(frames, np.float32)
    times_s = start_s + np.arange(frames) / space.fps
    for track in tracks:
        own_s = track.times_s()
        inside = (times_s >= own_s[0] - 0.5 / space.fps) & (times_s < track.end_s)
        mouth[inside] = resample(track.motion.mouth, own_s, times_s[inside])
        rest[inside] = resample(track.motion.rest, own_s, times_s[inside])
        visible[inside] = resample(track.motion.visible[:, None], own_s, times_s[inside])[:, 0]
    return Motion(space, mouth, rest, visible)


def seen_share(motion: Motion, frames: int) -> float:
    """The share of the first `frames` in which the mouth is seen."""
    return float(np.mean(motion.visible[:frames] > SEEN)) if frames and len(motion.visible) else 0.0


def cut(motion: Motion, first: int, frames: int) -> Motion:
    """Frames [first, first + frames); beyond the end the last one is held, unseen."""
    places = np.arange(first, first + frames)
    inside = np.clip(places, 0, len(motion.mouth) - 1)
    visible = np.where(places < len(motion.mouth), motion.visible[inside], 0.0).astype(np.float32)
    return Motion(motion.space, motion.mouth[inside], motion.rest[inside], visible)


def main_tracks(arrays: TrackArrays) -> tuple[str, ...]:
    """The largest well-seen face of each shot, by track id: whose lips a whole video is about."""
    largest: dict[str, tuple[float, str]] = {}
    for name, track in arrays.tracks.items():
        height_px = float(np.median(np.ptp(track.landmarks[:, :, 1], axis=1)))
        size = height_px * float(np.sum(track.visible > SEEN))
        shot = name.split(".")[0]
        if size > 0:
            largest[shot] = max(largest.get(shot, (0.0, "")), (size, name))
    return tuple(name for _, name in largest.values())
