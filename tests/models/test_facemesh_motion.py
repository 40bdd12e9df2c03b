"""Tracks stored and read back; motion resampled to 25 fps and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.facemesh.motion import track_motion
from models.facemesh.space import basis, encode
from models.facemesh.tracks import TrackArrays, TrackData
from models.motion import Motion
from models.track_motion import resample, sample_mouth
from schemas.errors import ArtifactCorrupt


def track(frames: int, first: int = 0, seed: int = 0) -> TrackData:
    rng = np.random.default_rng(seed)
    mouth = np.cumsum(rng.normal(0, 0.01, (frames, 12)), axis=0)
    shape = basis().template + np.einsum("pcm,km->kpc", basis().move, mouth)
    return TrackData(
        np.arange(first, first + frames, dtype=np.int32), (80 * shape + 200).astype(np.float32), np.ones(frames, "f4")
    )


def test_at_25_fps_motion_comes_back_frame_for_frame() -> None:
    data = track(40, first=10)
    times_s = 0.24 + np.arange(60) / 25
    moved = track_motion(data, times_s)
    assert moved.start_s == times_s[10]
    assert np.allclose(moved.motion.mouth, encode(data.landmarks).mouth, atol=1e-6)
    assert np.allclose(
        sample_mouth(moved.motion.mouth, moved.start_s, times_s[10:50], 25), moved.motion.mouth, atol=1e-6
    )
    assert Motion.from_bytes(moved.motion.to_bytes()).space == moved.motion.space


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 60), st.floats(8, 90), st.integers(0, 9))
def test_a_still_face_stays_still_at_any_frame_rate(frames: int, rate_hz: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = track(1, seed=seed)
    still = TrackData(np.arange(frames, dtype=np.int32), np.repeat(data.landmarks, frames, 0), np.ones(frames, "f4"))
    times_s = np.cumsum(rng.uniform(0.5, 1.5, frames)) / rate_hz
    moved = track_motion(still, times_s)
    assert np.ptp(moved.motion.mouth, axis=0).max() < 1e-4
    assert len(moved.motion.mouth) == int(np.floor((times_s[-1] - times_s[0]) * 25 + 1e-3)) + 1
    assert moved.times_s()[-1] <= times_s[-1] + 1e-3


@settings(max_examples=30, deadline=None)
@given(st.floats(-2, 2), st.floats(-2, 2), st.integers(2, 50))
def test_straight_movement_is_resampled_exactly(slope: float, start: float, frames: int) -> None:
    from_s = np.sort(np.random.default_rng(frames).uniform(0, 3, frames)) + np.arange(frames) * 1e-3
    to_s = np.linspace(from_s[0], from_s[-1], 17)
    values = (start + slope * from_s)[:, None]
    assert np.allclose(resample(values, from_s, to_s)[:, 0], start + slope * to_s, atol=1e-4)


def test_beyond_its_ends_a_mouth_is_held() -> None:
    mouth = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert np.array_equal(sample_mouth(mouth, 5.0, np.array([0.0, 5.02, 9.0]), 25), [[1, 2], [2, 3], [3, 4]])


def test_tracks_are_stored_exactly() -> None:
    arrays = TrackArrays(np.arange(50) / 25, {"0.0": track(20), "1.0": track(9, first=30)})
    again = TrackArrays.from_bytes(arrays.to_bytes())
    assert np.array_equal(again.frame_times_s, arrays.frame_times_s)
    for name, data in arrays.tracks.items():
        assert np.array_equal(again.tracks[name].frames, data.frames)
        assert np.array_equal(again.tracks[name].landmarks, data.landmarks)
        assert np.array_equal(again.tracks[name].visible, data.visible)


def test_a_video_without_faces_is_stored_too() -> None:
    again = TrackArrays.from_bytes(TrackArrays(np.arange(3) / 25, {}).to_bytes())
    assert not again.tracks and len(again.frame_times_s) == 3


@pytest.mark.parametrize("damage", [b"", b"not tracks at all", b"\xff" * 64])
def test_damaged_bytes_are_refused(damage: bytes) -> None:
    with pytest.raises(ArtifactCorrupt):
        TrackArrays.from_bytes(damage)


def test_frames_beyond_the_video_are_refused() -> None:
    with pytest.raises(ArtifactCorrupt, match="frame numbers"):
        TrackArrays.from_bytes(TrackArrays(np.arange(5) / 25, {"0.0": track(20)}).to_bytes())
