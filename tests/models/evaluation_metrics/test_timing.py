"""Timing by warping, word edges and speech spans."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.audio_to_mouth.corpus import decode_audio
from models.evaluation.boundaries import boundary_errors_ms, summarise_boundaries
from models.evaluation.speech import inside, speech_spans
from models.evaluation.warping import mfcc, timing
from schemas.errors import MediaError, RequestError
from schemas.media import TimeSpan


def grid_clip(shared_dir: Path, name: str) -> tuple[np.ndarray, int]:
    return decode_audio(shared_dir / "corpus" / "grid_s1" / f"{name}.mp4")


def delayed(samples: np.ndarray, sample_rate_hz: int, seconds: float) -> np.ndarray:
    """The same length, the speech later (or earlier), the room's own sound in the gap."""
    return np.roll(samples, round(seconds * sample_rate_hz))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["bbaf2n", "bgah1s"])
def test_a_recording_keeps_its_own_time(shared_dir: Path, name: str) -> None:
    samples, rate_hz = grid_clip(shared_dir, name)
    own = timing(samples, rate_hz, samples, rate_hz)
    assert own.deviation_ms < 1e-6 and own.bias_ms == 0 and own.jitter_ms < 1e-6 and own.within_80 == 1


@pytest.mark.shared
@pytest.mark.parametrize("late_s", [0.1, -0.1])
def test_a_shift_is_the_bias(shared_dir: Path, late_s: float) -> None:
    samples, rate_hz = grid_clip(shared_dir, "bbaf2n")
    found = timing(delayed(samples, rate_hz, late_s), rate_hz, samples, rate_hz)
    assert found.bias_ms == pytest.approx(1000 * late_s, abs=10)
    assert found.deviation_ms == pytest.approx(100, abs=15) and found.jitter_ms < 15 and found.within_80 < 0.2


@pytest.mark.shared
def test_another_level_rate_and_noise_hardly_matter_and_another_sentence_does(shared_dir: Path) -> None:
    samples, rate_hz = grid_clip(shared_dir, "bbaf2n")
    noise = np.random.default_rng(0).normal(0, 0.1 * samples.std(), len(samples)).astype(np.float32)
    same = timing(0.3 * (samples + noise), rate_hz, samples, rate_hz)
    assert same.deviation_ms < 25 and same.within_80 > 0.95
    other, other_rate_hz = grid_clip(shared_dir, "lrwz4p")
    assert timing(other, other_rate_hz, samples, rate_hz).jitter_ms > 2 * same.jitter_ms + 10


def test_features_are_normalised_and_lie_on_a_grid_of_10_ms() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    taken = mfcc(sound, 16_000)
    assert taken.shape == (19, 101)
    assert np.allclose(taken.mean(axis=1), 0, atol=1e-4) and np.allclose(taken.std(axis=1), 1, atol=1e-3)


def test_without_speech_there_is_no_timing() -> None:
    silence = np.zeros(16_000, np.float32)
    with pytest.raises(MediaError, match="no speech"):
        timing(silence, 16_000, silence, 16_000)
    with pytest.raises(MediaError, match="recording holds no samples"):
        timing(silence, 16_000, silence[:0], 16_000)


@pytest.mark.shared
def test_silence_against_speech_is_an_error(shared_dir: Path) -> None:
    samples, rate_hz = grid_clip(shared_dir, "bbaf2n")
    with pytest.raises(MediaError, match="generated sound is silent"):
        timing(np.zeros_like(samples), rate_hz, samples, rate_hz)


@pytest.mark.shared
def test_speech_lies_around_the_words(shared_dir: Path) -> None:
    samples, rate_hz = grid_clip(shared_dir, "bbaf2n")  # its words: 0.95 s to 2.12 s
    spans = speech_spans(samples, rate_hz)
    assert len(spans) == 1
    assert spans[0].start_s == pytest.approx(0.95, abs=0.2) and spans[0].end_s == pytest.approx(2.12, abs=0.3)


def test_spans_are_half_open() -> None:
    spans = (TimeSpan(start_s=0.5, end_s=1.0),)
    assert inside(np.array([0.4, 0.5, 0.9, 1.0]), spans).tolist() == [False, True, True, False]
    assert speech_spans(np.zeros(16_000, np.float32), 16_000) == ()


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(-40, 40))
def test_a_common_shift_is_every_edges_error(lengths: list[int], shift: int) -> None:
    edges = 0.5 + np.concatenate([[0], np.cumsum(lengths)]) / 100
    true = [TimeSpan(start_s=a, end_s=b) for a, b in itertools.pairwise(edges)]
    moved = [TimeSpan(start_s=s.start_s + shift / 100, end_s=s.end_s + shift / 100) for s in true]
    errors_ms = boundary_errors_ms(moved, true)
    assert errors_ms.shape == (2 * len(lengths),) and np.allclose(errors_ms, 10 * shift)
    summary = summarise_boundaries(errors_ms)
    assert summary.median_ms == pytest.approx(abs(10 * shift)) == summary.p95_ms and summary.n == len(errors_ms)


def test_edges_of_other_words_are_refused() -> None:
    span = TimeSpan(start_s=0, end_s=1)
    with pytest.raises(RequestError, match="1 spans against 2"):
        boundary_errors_ms([span], [span, span])
    with pytest.raises(RequestError, match="at least one word"):
        summarise_boundaries(boundary_errors_ms([], []))
