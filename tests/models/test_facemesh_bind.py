"""Who speaks: the face that moves its mouth."""

import numpy as np

from models.facemesh.bind import bind_lines
from models.facemesh.space import space
from models.motion import Motion
from models.track_motion import TrackMotion
from schemas.artifact import ArtifactRef
from schemas.media import TimeSpan
from schemas.motion import Faces, FaceTrack
from schemas.speech import Line

REF = ArtifactRef(sha256="0" * 64, media_type="application/octet-stream", size_bytes=0)


def line(name: str, start_s: float, end_s: float) -> Line:
    return Line(id=name, speaker="A", span=TimeSpan(start_s=start_s, end_s=end_s), source_text="words")


def motion(frames: int, speaks: slice | None, start_s: float = 0.0, visible: float = 1.0) -> TrackMotion:
    """A mouth that opens and closes four times a second while it speaks, and trembles a little otherwise."""
    rng = np.random.default_rng(frames)
    mouth = rng.normal(0, 0.001, (frames, 12)).astype(np.float32)
    if speaks is not None:
        mouth[speaks, 0] += (0.06 * (1 - np.cos(2 * np.pi * 4 * np.arange(frames) / 25)))[speaks]
    return TrackMotion(start_s, Motion(space(), mouth, np.zeros((frames, 0), "f4"), np.full(frames, visible, "f4")))


def faces(spans: list[tuple[float, float]], tracks: dict[str, TrackMotion]) -> Faces:
    shots = tuple(TimeSpan(start_s=start_s, end_s=end_s) for start_s, end_s in spans)
    found = tuple(
        FaceTrack(
            id=name,
            shot=int(name[0]),
            span=TimeSpan(start_s=track.start_s, end_s=track.end_s),
            frames=len(track.motion.mouth),
            visible_share=1.0,
            median_face_px=100.0,
        )
        for name, track in tracks.items()
    )
    return Faces(shots=shots, tracks=found, tracks_ref=REF)


def test_of_two_faces_the_moving_one_speaks() -> None:
    tracks = {"0.0": motion(150, slice(0, 75)), "0.1": motion(150, slice(75, 150))}
    first, second = bind_lines(
        [line("a", 0, 2.9), line("b", 3.1, 6)], faces([(0, 6)], tracks), tracks, loudness_envelope=None
    )
    assert first.track_ids == ("0.0",) and second.track_ids == ("0.1",)
    assert first.line_id == "a" and first.score > 0


def test_a_still_face_does_not_speak() -> None:
    tracks = {"0.0": motion(150, None)}
    (bound,) = bind_lines([line("a", 0, 6)], faces([(0, 6)], tracks), tracks, None)
    assert bound.track_ids == () and bound.score == 0


def test_a_mouth_that_is_not_seen_does_not_speak() -> None:
    tracks = {"0.0": motion(150, slice(0, 150), visible=0.1)}
    assert bind_lines([line("a", 0, 6)], faces([(0, 6)], tracks), tracks, None)[0].track_ids == ()


def test_a_line_over_a_cut_gets_a_face_in_each_shot() -> None:
    tracks = {"0.0": motion(75, slice(0, 75)), "1.0": motion(75, slice(0, 75), start_s=3.0)}
    (bound,) = bind_lines([line("a", 1, 5)], faces([(0, 3), (3, 6)], tracks), tracks, None)
    assert bound.track_ids == ("0.0", "1.0")


def test_a_line_that_touches_a_shot_by_a_frame_is_not_of_that_shot() -> None:
    tracks = {"0.0": motion(75, slice(0, 75)), "1.0": motion(75, slice(0, 75), start_s=3.0)}
    (bound,) = bind_lines([line("a", 1, 3.04)], faces([(0, 3), (3, 6)], tracks), tracks, None)
    assert bound.track_ids == ("0.0",)


def test_of_two_moving_mouths_loudness_chooses() -> None:
    pauses = np.r_[0:25, 50:75, 100:125]
    other = np.setdiff1d(np.arange(150), pauses)
    tracks = {}
    for name, moving in (("0.0", pauses), ("0.1", other)):
        track = motion(150, slice(0, 150))
        still = np.setdiff1d(np.arange(150), moving)
        track.motion.mouth[still] = 0
        tracks[name] = track
    envelope = np.full(150, 1e-3)
    envelope[other] = 0.2
    (bound,) = bind_lines([line("a", 0, 6)], faces([(0, 6)], tracks), tracks, envelope)
    assert bound.track_ids == ("0.1",)


def test_without_faces_every_line_is_off_screen() -> None:
    assert [bound.track_ids for bound in bind_lines([line("a", 0, 1)], faces([(0, 6)], {}), {}, None)] == [()]
