"""What faces do, as the joint model takes it: of all tracks of a video, and of each line's speaker over the line."""

import math

from models import track_motion
from models.face_model import Film
from models.facemesh.tracks import TrackArrays
from models.motion import Motion
from models.performer.face import face_over, main_tracks, seen_share
from models.track_motion import TrackMotion
from schemas.artifact import ArtifactRef
from schemas.media import MediaInfo, TimeSpan
from schemas.motion import FaceModelRef, Faces, LineFaces, MotionSpace
from schemas.performance import LineMotion
from schemas.progress import report
from schemas.speech import Line
from tasks.face_models import open_face_model
from tasks.stage import stage_task
from tasks.workplace import SAFETENSORS, Workplace, open_workplace

AFTER_S = 3.0
"""How long after a line its face is still looked at: a take may run on."""


@stage_task("motions", version=1, weights=("facemesh-basis",), heavy=True)
def face_motions(video: ArtifactRef, info: MediaInfo, faces: Faces, by: FaceModelRef) -> ArtifactRef:
    """Read what every tracked face does, in the space that the engine works in."""
    place = open_workplace()
    arrays = TrackArrays.from_bytes(place.store.get_bytes(faces.tracks_ref))
    film = Film(place.store.local_path(video), info, arrays.frame_times_s)
    model = open_face_model(place, by)
    found = model.track_motions(film, arrays.tracks, lambda done, total: report("motions", done, total, "frames"))
    return place.store.put_bytes(track_motion.to_bytes(model.space, found), SAFETENSORS)


def read_motions(place: Workplace, motions: ArtifactRef) -> dict[str, TrackMotion]:
    """What `face_motions` stored."""
    return track_motion.from_bytes(place.store.get_bytes(motions))


@stage_task("mouths", version=2)
def line_motions(
    lines: tuple[Line, ...], bound: tuple[LineFaces, ...], motions: ArtifactRef, space: MotionSpace
) -> tuple[LineMotion, ...]:
    """Cut each line's motion out of the tracks that show its speaker, starting exactly with the line."""
    place = open_workplace()
    tracks = read_motions(place, motions)
    shown = {own.line_id: own.track_ids for own in bound}
    return tuple(_one(place, line, space, [tracks[name] for name in shown.get(line.id, ())]) for line in lines)


def _one(place: Workplace, line: Line, space: MotionSpace, tracks: list[TrackMotion]) -> LineMotion:
    if not tracks:
        return LineMotion(line_id=line.id, motion=None, seen_share=0.0)
    own = math.ceil(line.span.duration_s * space.fps)
    motion = face_over(space, tracks, line.span.start_s, own + round(AFTER_S * space.fps))
    ref = place.store.put_bytes(motion.to_bytes(), SAFETENSORS)
    return LineMotion(line_id=line.id, motion=ref, seen_share=round(seen_share(motion, own), 4))


@stage_task("mouths", version=2)
def clip_motion(faces: Faces, motions: ArtifactRef, space: MotionSpace, duration_s: float) -> LineMotion:
    """The motion of a whole video: of the largest well-seen face of each shot."""
    place = open_workplace()
    arrays = TrackArrays.from_bytes(place.store.get_bytes(faces.tracks_ref))
    found = read_motions(place, motions)
    frames = max(1, round(duration_s * space.fps))
    motion = face_over(space, [found[name] for name in main_tracks(arrays)], 0.0, frames)
    ref = place.store.put_bytes(motion.to_bytes(), SAFETENSORS)
    return LineMotion(line_id="clip", motion=ref, seen_share=round(seen_share(motion, frames), 4))


def main_faces(place: Workplace, faces: Faces) -> LineFaces:
    """The tracks whose lips a whole video is about."""
    arrays = TrackArrays.from_bytes(place.store.get_bytes(faces.tracks_ref))
    return LineFaces(line_id="clip", track_ids=main_tracks(arrays), score=1.0)


def motion_within(place: Workplace, motions: ArtifactRef, bound: LineFaces, span: TimeSpan) -> Motion:
    """The face of one line over any span of the video."""
    tracks = read_motions(place, motions)
    found = [tracks[name] for name in bound.track_ids]
    space = found[0].motion.space
    return face_over(space, found, span.start_s, round(span.duration_s * space.fps))
