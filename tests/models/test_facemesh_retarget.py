"""A movement laid onto another face, within what that face can show."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.facemesh.retarget import (
    FADE_FRAMES,
    MAX_APERTURE_CHANGE,
    MAX_BEYOND_SEEN,
    MAX_UNSEEN_OPENING,
    bound,
    fade_shares,
    resting_mouth,
    retarget,
)
from models.facemesh.space import space
from models.motion import Motion
from models.track_motion import TrackMotion

NEUTRAL = np.array([0.0, 0.85, 0.25, -0.38, *np.zeros(8)])


def track(width: float, aperture: np.ndarray) -> TrackMotion:
    mouth = np.tile(NEUTRAL, (len(aperture), 1)).astype(np.float32)
    mouth[:, 0], mouth[:, 1] = aperture, width
    return TrackMotion(0.0, Motion(space(), mouth, np.zeros((len(mouth), 0), "f4"), np.ones(len(mouth), "f4")))


def test_a_resting_take_rests_on_any_face() -> None:
    face = track(1.0, np.abs(np.sin(np.arange(100))) * 0.2)
    asked = retarget(np.tile(NEUTRAL, (30, 1)), NEUTRAL, face)
    assert np.allclose(asked, resting_mouth(face.motion.mouth, face.motion.visible), atol=1e-5)


def test_a_wider_mouth_moves_further() -> None:
    take = np.tile(NEUTRAL, (30, 1))
    take[:, 0] += 0.1
    narrow, wide = (retarget(take, NEUTRAL, track(width, np.zeros(50)))[15, 0] for width in (0.75, 0.95))
    assert 0.07 < narrow < 0.1 < wide < 0.12


def test_lips_do_not_pass_through_each_other() -> None:
    take = np.tile(NEUTRAL, (30, 1))
    take[:, 0] -= 0.2
    assert retarget(take, NEUTRAL, track(0.85, np.full(50, 0.05)))[:, 0].min() >= 0


def test_a_face_that_never_closes_rests_nearly_closed() -> None:
    mouth = track(0.85, np.full(60, 0.2)).motion.mouth
    assert resting_mouth(mouth, np.ones(60))[0] <= 0.01


@settings(max_examples=50, deadline=None)
@given(st.floats(-0.1, 0.6), st.floats(0, 0.4), st.floats(0, 0.4))
def test_openings_stay_within_what_looks_right(asked: float, own: float, seen: float) -> None:
    wanted, mine = (np.tile(NEUTRAL, (1, 1)) for _ in range(2))
    wanted[0, 0], mine[0, 0] = asked, own
    shown = bound(wanted, mine, np.ones(1), widest_seen=seen)
    change = shown.mouth[0, 0] - own
    assert abs(change) <= MAX_APERTURE_CHANGE + 1e-9
    reachable = max(seen + MAX_BEYOND_SEEN, MAX_UNSEEN_OPENING, own - MAX_APERTURE_CHANGE)
    assert shown.mouth[0, 0] <= reachable + 1e-9
    assert shown.is_bounded[0] == (abs(shown.mouth[0, 0] - asked) > 1e-6)


def test_without_share_the_frame_keeps_its_mouth() -> None:
    own, asked = np.random.default_rng(0).normal(size=(2, 5, 12))
    assert np.allclose(bound(asked, own, np.zeros(5), widest_seen=0.2).mouth, own)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_every_run_of_frames_fades_in_and_out(lengths: list[int]) -> None:
    runs, start = [], 0
    for length in lengths:
        runs.append(np.arange(start, start + length))
        start += length + 2
    shares = fade_shares(np.concatenate(runs))
    assert (shares > 0).all() and (shares <= 1).all()
    place = 0
    for length in lengths:
        part = shares[place : place + length]
        assert np.allclose(part, part[::-1]) and part[0] <= 1 / (FADE_FRAMES + 1) + 1e-9
        assert np.abs(np.diff(part)).max(initial=0) <= 1 / (FADE_FRAMES + 1) + 1e-9
        place += length
