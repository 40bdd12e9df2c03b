"""Lip motion and closures."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.closures import MouthTrack, closed_threshold, score_closures, score_shifted
from models.evaluation.lips import match_lips
from models.facemesh.landmarks import landmarks_of_clip
from models.facemesh.space import APERTURE, encode
from models.facemesh.visibility import mouth_visibility
from schemas.errors import LengthMismatch, RequestError
from schemas.media import TimeSpan


def moving(frames: int, seed: int = 0) -> np.ndarray:
    """A smooth random mouth [frames, 2]."""
    steps = np.random.default_rng(seed).normal(size=(frames + 4, 2))
    return np.stack([np.convolve(column, np.ones(5) / 5, "valid") for column in steps.T], axis=1)


@given(st.integers(30, 90), st.integers(0, 1000))
def test_a_mouth_matches_itself(frames: int, seed: int) -> None:
    mouth = moving(frames, seed)
    for match in match_lips(mouth, mouth):
        assert match.r == pytest.approx(1) and match.mean_absolute_error == 0
        assert match.best_lag_ms == 0 and match.best_r == pytest.approx(1)


@given(st.integers(-5, 5), st.floats(0.1, 5), st.floats(-2, 2))
def test_the_best_lag_is_the_delay(late: int, scale: float, offset: float) -> None:
    mouth = moving(90)
    true, generated = mouth[10:70], mouth[10 - late : 70 - late]
    match = match_lips(scale * generated + offset, true)[0]
    assert match.best_lag_ms == 40 * late and match.best_r == pytest.approx(1) and match.best_r >= match.r


def test_r_is_pearsons() -> None:
    a, b = moving(80, 1), moving(80, 2)
    for dimension, match in enumerate(match_lips(a, b)):
        assert match.r == pytest.approx(np.corrcoef(a[:, dimension], b[:, dimension])[0, 1])
        assert match.mean_absolute_error == pytest.approx(np.abs(a - b)[:, dimension].mean())


def test_hidden_frames_count_for_nothing() -> None:
    mouth = moving(60)
    broken, visible = mouth.copy(), np.ones(60)
    broken[20:25], visible[20:25] = 99.0, 0.0
    match = match_lips(broken, mouth, visible)[0]
    assert match.r == pytest.approx(1) and match.mean_absolute_error == 0 and match.best_lag_ms == 0


def test_a_still_mouth_correlates_with_nothing() -> None:
    match = match_lips(np.full((40, 1), 0.3), moving(40)[:, :1])[0]
    assert match.r == 0 and match.best_r == 0 and match.best_lag_ms == 0


def test_mouths_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(LengthMismatch, match="same frames"):
        match_lips(moving(40), moving(41))
    with pytest.raises(LengthMismatch, match="39 frames of visibility"):
        match_lips(moving(40), moving(40), np.ones(39))
    with pytest.raises(RequestError, match="too few"):
        match_lips(moving(40), moving(40), np.zeros(40))


CLOSED_AT = (12, 30, 47)


def talking() -> MouthTrack:
    """A mouth that is open but for three closures of three frames around the frames above."""
    aperture = 0.2 + 0.02 * np.sin(np.arange(60))
    for frame in CLOSED_AT:
        aperture[frame - 1 : frame + 2] = (0.03, 0.0, 0.03)
    return MouthTrack(aperture, np.ones(60), closed_below=0.05)


def spans_at(*frames: int) -> list[TimeSpan]:
    return [TimeSpan(start_s=(frame - 1) / 25, end_s=(frame + 2) / 25) for frame in frames]


def test_closures_where_they_belong_are_hit_and_shifted_ones_are_not() -> None:
    scores = score_shifted(spans_at(*CLOSED_AT), talking())
    assert set(scores) == {-10, -5, 0, 5, 10}
    assert scores[0].n == 3 and scores[0].hit_rate == 1 and scores[0].false_open_rate == 0
    assert scores[0].closed_elsewhere == 0
    for shift in (-10, -5, 5, 10):
        assert scores[shift].hit_rate == 0 and scores[shift].false_open_rate == 1


@given(st.integers(-4, 4))
def test_two_frames_early_or_late_are_forgiven(shift: int) -> None:
    score = score_closures(spans_at(30), talking(), shift)
    assert score.hit_rate == float(abs(shift) <= 3)  # the span is one frame longer to either side than the minimum


def test_a_mouth_passing_below_the_threshold_needs_a_minimum() -> None:
    closing = MouthTrack(0.53 - 0.05 * np.arange(11), np.ones(11), closed_below=0.1)  # below it in frames 9 and 10
    assert score_closures([TimeSpan(start_s=7 / 25, end_s=8 / 25)], closing).hit_rate == 0
    assert score_closures([TimeSpan(start_s=8 / 25, end_s=9 / 25)], closing).hit_rate == 1


def test_lips_held_together_are_at_a_minimum_all_along() -> None:
    held = 0.2 * np.ones(60)
    held[20:40] = 0.002 + 0.0001 * np.arange(20)  # rising a little: tracking noise
    track = MouthTrack(held, np.ones(60), closed_below=0.02)
    assert score_closures(spans_at(30), track).hit_rate == 1


def test_closures_out_of_sight_do_not_count() -> None:
    track = talking()
    visible = np.ones(60)
    visible[28:30] = 0
    assert score_closures(spans_at(*CLOSED_AT), MouthTrack(track.aperture, visible, 0.05)).n == 2
    assert score_closures([*spans_at(30), TimeSpan(start_s=9, end_s=9.1)], track).n == 1
    with pytest.raises(RequestError, match="none of 1 closures"):
        score_closures(spans_at(30), MouthTrack(track.aperture, visible, 0.05))
    with pytest.raises(LengthMismatch):
        score_closures(spans_at(30), MouthTrack(track.aperture, visible[1:], 0.05))


@given(st.floats(0.01, 10), st.floats(-5, 5))
def test_the_threshold_goes_with_the_tracks_scale(scale: float, offset: float) -> None:
    track = talking()
    threshold = closed_threshold(track.aperture, track.visible)
    assert 0.0 < threshold < 0.1
    assert closed_threshold(scale * track.aperture + offset, track.visible) == pytest.approx(scale * threshold + offset)
    with pytest.raises(RequestError, match="visible in no frame"):
        closed_threshold(track.aperture, np.zeros(60))


@pytest.mark.shared
def test_a_real_mouth_closes_for_its_own_sound(shared_dir: Path) -> None:
    """The lips meet where words of GRID begin with /p b m/, and less so 0.2 s and 0.4 s later."""
    folder = shared_dir / "corpus" / "grid_s1"
    entries = [json.loads(line) for line in (folder / "grid_s1.jsonl").read_text(encoding="utf-8").splitlines()]
    chosen = [e for e in entries if e["split"] == "valid" and e["text"].startswith(("bin blue", "place blue"))][:6]
    hits: dict[int, list[float]] = {}
    for entry in chosen:
        landmarks = landmarks_of_clip(folder / entry["file"])
        assert landmarks is not None
        aperture = encode(landmarks).mouth[:, APERTURE]
        visible = mouth_visibility(landmarks, entry["width"], entry["height"])
        track = MouthTrack(aperture, visible, closed_threshold(aperture, visible))
        closures = [
            TimeSpan(start_s=w["start_s"], end_s=w["start_s"] + 0.08)
            for w in entry["words"][1:]
            if w["word"][0] in "bpm"
        ]
        for shift, score in score_shifted(closures, track).items():
            hits.setdefault(shift, []).append(score.hit_rate)
    assert np.mean(hits[0]) > 0.8
    assert np.mean(hits[0]) > np.mean(hits[5]) + 0.2 and np.mean(hits[0]) > np.mean(hits[10]) + 0.4
