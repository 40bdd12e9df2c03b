"""Shots of made and of real videos."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.shots import SHORTEST_SHOT_S, ShotDetector, detect_shots


@dataclass(frozen=True)
class Frame:
    rgb: np.ndarray
    time_s: float


def _scene(seed: int, height: int = 90, width: int = 160) -> np.ndarray:
    """A picture of its own colours, in soft blocks like a real one."""
    blocks = np.random.default_rng(seed).integers(0, 255, (5, 8, 3), dtype=np.uint8)
    return cv2.resize(blocks, (width, height), interpolation=cv2.INTER_CUBIC)


def _film(lengths: list[int], frame_rate_hz: float, noise: float = 0.0) -> Iterator[Frame]:
    """One scene of so many frames after the other, moving a little, with noise."""
    random, index = np.random.default_rng(0), 0
    for scene, length in enumerate(lengths):
        picture = _scene(scene)
        for step in range(length):
            moved = np.roll(picture, step // 3, axis=1) + random.normal(0, noise, picture.shape)
            yield Frame(np.clip(moved, 0, 255).astype(np.uint8), index / frame_rate_hz)
            index += 1


@settings(max_examples=15, deadline=None)
@given(
    lengths=st.lists(st.integers(13, 40), min_size=1, max_size=4),
    frame_rate_hz=st.sampled_from([23.976, 25, 29.97, 60]),
)
def test_cuts_are_found_at_their_frame_at_any_rate(lengths: list[int], frame_rate_hz: float) -> None:
    duration_s = sum(lengths) / frame_rate_hz
    shots = detect_shots(_film(lengths, frame_rate_hz, noise=4.0), duration_s)
    edges_s = np.cumsum([0, *lengths]) / frame_rate_hz
    assert [shot.start_s for shot in shots] == pytest.approx(edges_s[:-1].tolist())
    assert [shot.end_s for shot in shots] == pytest.approx(edges_s[1:].tolist())


def test_the_answer_comes_with_the_frame_itself() -> None:
    detector = ShotDetector()
    answers = [detector.push(frame.rgb, frame.time_s) for frame in _film([10, 10, 10], 25)]
    assert np.flatnonzero(answers).tolist() == [0, 10, 20]


def test_a_cut_blended_over_two_frames_is_one_cut() -> None:
    one, other = _scene(1), _scene(2)
    pictures = [one] * 10 + [one // 2 + other // 2] + [other] * 10
    shots = detect_shots((Frame(picture, index / 25) for index, picture in enumerate(pictures)), 21 / 25)
    assert len(shots) == 2
    assert all(shot.duration_s >= SHORTEST_SHOT_S for shot in shots)


def test_a_video_without_frames_or_with_one_is_one_shot() -> None:
    assert [(shot.start_s, shot.end_s) for shot in detect_shots([], 2.0)] == [(0.0, 2.0)]
    assert [(shot.start_s, shot.end_s) for shot in detect_shots([Frame(_scene(1), 0.0)], 0.04)] == [(0.0, 0.04)]
    assert detect_shots([], 0.0) == ()


def test_frames_may_change_their_size_and_be_small() -> None:
    frames = [Frame(_scene(1, 90, 160), 0.0), Frame(_scene(1, 180, 320), 0.04), Frame(_scene(1, 1, 1), 0.08)]
    assert detect_shots(frames[:2], 0.08)[0].end_s == 0.08
    assert len(detect_shots(frames[2:], 0.04)) == 1


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "cuts_s"), [("mspk_cuts_3.mp4", [5.24, 8.72]), ("hdtf_WDA_KatieHill_000.mp4", []), ("retalking_1.mp4", [])]
)
def test_real_videos(shared_dir: Path, name: str, cuts_s: list[float]) -> None:
    with av.open(str(shared_dir / "media" / "video" / name)) as video:
        frames = (
            Frame(frame.to_ndarray(width=160, height=160, format="rgb24"), frame.time)
            for frame in video.decode(video=0)
        )
        shots = detect_shots(frames, 13.2)
    assert [shot.start_s for shot in shots] == pytest.approx([0.0, *cuts_s], abs=0.001)
