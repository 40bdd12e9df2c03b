"""The face of each line's speaker over the line, as the joint model takes it."""

import math

from models.facemesh.motion import TrackMotion, track_motion
from models.facemesh.space import FPS
from models.facemesh.tracks import TrackArrays
from models.motion import Motion
from models.performer.face import face_over, main_tracks, seen_share
from schemas.media import TimeSpan
from schemas.motion import Faces, LineFaces
from schemas.performance import LineMotion
from schemas.speech import Line
from tasks.stage import stage_task
from tasks.workplace import SAFETENSORS, Workplace, open_workplace

AFTER_S = 3.0
"""How long after a line its face is still looked at: a take may run on."""


@stage_task("mouths", version=1, weights=("facemesh-basis",))
def line_motions(lines: tuple[Line, ...], bound: tuple[LineFaces, ...], faces: Faces) -> tuple[LineMotion, ...]:
    """Cut each line's motion out of the tracks that show its speaker, starting exactly with the line."""
    place = open_workplace()
    tracks = _tracks(place, faces)
    shown = {own.line_id: own.track_ids for own in bound}
    return tuple(_one(place, line, [tracks[name] for name in shown.get(line.id, ())]) for line in lines)


def _tracks(place: Workplace, faces: Faces) -> dict[str, TrackMotion]:
    arrays = TrackArrays.from_bytes(place.store.get_bytes(faces.tracks_ref))
    return {name: track_motion(track, arrays.frame_times_s) for name, track in arrays.tracks.items()}


def _one(place: Workplace, line: Line, tracks: list[TrackMotion]) -> LineMotion:
    if not tracks:
        return LineMotion(line_id=line.id, motion=None, seen_share=0.0)
    own = math.ceil(line.span.duration_s * FPS)
    motion = face_over(tracks, line.span.start_s, own + round(AFTER_S * FPS))
    ref = place.store.put_bytes(motion.to_bytes(), SAFETENSORS)
    return LineMotion(line_id=line.id, motion=ref, seen_share=round(seen_share(motion, own), 4))


@stage_task("mouths", version=1, weights=("facemesh-basis",))
def clip_motion(faces: Faces, duration_s: float) -> LineMotion:
    """The motion of a whole video: of the largest well-seen face of each shot."""
    place = open_workplace()
    arrays = TrackArrays.from_bytes(place.store.get_bytes(faces.tracks_ref))
    tracks = [track_motion(arrays.tracks[name], arrays.frame_times_s) for name in main_tracks(arrays)]
    frames = max(1, round(duration_s * FPS))
    motion = face_over(tracks, 0.0, frames)
    ref = place.store.put_bytes(motion.to_bytes(), SAFETENSORS)
    return LineMotion(line_id="clip", motion=ref, seen_share=round(seen_share(motion, frames), 4))


def main_faces(place: Workplace, faces: Faces) -> LineFaces:
    """The tracks whose lips a whole video is about."""
    arrays = TrackArrays.from_bytes(place.store.get_bytes(faces.tracks_ref))
    return LineFaces(line_id="clip", track_ids=main_tracks(arrays), score=1.0)


def motion_within(place: Workplace, faces: Faces, bound: LineFaces, span: TimeSpan) -> Motion:
    """The face of one line over any span of the video."""
    tracks = _tracks(place, faces)
    return face_over([tracks[name] for name in bound.track_ids], span.start_s, round(span.duration_s * FPS))
