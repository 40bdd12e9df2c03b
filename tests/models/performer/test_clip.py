"""Clips of any length: windows that cover them, and streams as long as each other."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.facemesh.space import space
from models.motion import Motion
from models.performer.clip import check_lengths, mouth_from_sound, sound_from_mouth, windows
from models.performer.engine import Engine, load_engine
from models.performer.face import cut, face_over, seen_share
from models.performer.perform import usual_sampling
from models.track_motion import TrackMotion
from schemas.errors import LengthMismatch

FADE, WINDOW = 4, 200


@given(st.integers(1, 20_000))
def test_windows_cover_a_clip_and_overlap_by_the_fade(frames: int) -> None:
    spans = windows(frames)
    assert spans[0][0] == 0 and sum(spans[-1]) == frames
    assert all(first + count - FADE == after for (first, count), (after, _) in pairwise(spans))
    assert all(0 < count <= WINDOW + 1 for _, count in spans)


@pytest.mark.parametrize("apart_s", [0.0, 0.08, -0.08])
def test_two_frames_of_difference_are_absorbed(apart_s: float) -> None:
    check_lengths(5.0 + apart_s, 5.0, "sound.wav", "clip.mp4")


@pytest.mark.parametrize(("sound_s", "says"), [(5.2, "cut sound.wav"), (4.8, "cut clip.mp4")])
def test_more_is_refused_with_both_lengths_and_what_to_do(sound_s: float, says: str) -> None:
    with pytest.raises(LengthMismatch, match=f"{sound_s:.2f} s.*5.00 s.*{says}"):
        check_lengths(sound_s, 5.0, "sound.wav", "clip.mp4")


def face(frames: int) -> Motion:
    rng = np.random.default_rng(frames)
    mouth, rest = (rng.normal(size=(frames, 12)).astype(np.float32) for _ in range(2))
    return Motion(space(), mouth, rest, np.ones(frames, np.float32))


@pytest.fixture(scope="module")
def engine(random_engine: Path) -> Engine:
    return load_engine(random_engine / "jamflow-tiny")


@pytest.mark.parametrize("frames", [13, 50, 260])
def test_a_mouth_is_as_long_as_its_sound_and_the_other_way_round(engine: Engine, frames: int) -> None:
    rng = np.random.default_rng(0)
    sound = rng.normal(size=frames * 960).astype(np.float32) * 0.1
    mouth = mouth_from_sound(engine, sound, face(frames), usual_sampling(1), mode="lipsync", seed=0)
    assert mouth.mouth.shape == (frames, 12) and np.isfinite(mouth.mouth).all()
    assert len(sound_from_mouth(engine, face(frames), None, usual_sampling(1), seed=0)) == frames * 960


def test_where_no_mouth_is_ever_seen_there_is_silence(engine: Engine) -> None:
    unseen = cut(face(30), 30, 30)  # beyond the end: held, unseen
    assert not unseen.visible.any()
    assert not sound_from_mouth(engine, unseen, None, usual_sampling(1), seed=0).any()


def test_a_face_is_put_together_from_its_tracks() -> None:
    one, two = TrackMotion(1.0, face(25)), TrackMotion(3.0, face(50))
    whole = face_over(space(), [one, two], 0.0, 125)
    assert np.array_equal(whole.mouth[25:50], one.motion.mouth) and np.array_equal(whole.rest[75:], two.motion.rest)
    assert not whole.visible[:25].any() and not whole.visible[50:75].any()
    assert seen_share(whole, 125) == pytest.approx(0.6)
