"""How it is said: durations, trimming, determinism; the real model."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.kokoro.network import LONGEST_TOKENS, Kokoro, load_kokoro
from models.kokoro.synthesis import SAMPLE_RATE_HZ, pieces, speak_pieces, spell, synthesise, trim
from models.kokoro.timing import FASTEST, SLOWEST, Timing, timing
from models.weights.resolve import kokoro
from schemas.errors import RequestError, WeightsError

MAN = (("jm_kumo", 1.0),)
BLEND = (("jf_alpha", 0.5), ("jm_kumo", 0.5))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kokoro(tmp_path_factory.mktemp("weights")).path


@pytest.fixture(scope="module")
def model(weights: Path) -> Kokoro:
    return load_kokoro(weights, 1)


@given(st.integers(0, 4000), st.integers(1200, 6000), st.integers(0, 4000), st.floats(0.01, 1.0))
def test_trimmed_speech_starts_within_ten_milliseconds(before: int, length: int, after: int, level: float) -> None:
    tone = level * np.sin(0.3 * np.arange(length)).astype(np.float32)
    trimmed = trim(np.concatenate([np.zeros(before, np.float32), tone, np.zeros(after + 240, np.float32)]))
    loud = np.flatnonzero(np.abs(trimmed) > 0.1 * level)
    assert loud[0] <= 0.010 * SAMPLE_RATE_HZ + 12
    assert len(trimmed) - loud[-1] <= 0.010 * SAMPLE_RATE_HZ + 12
    assert np.isclose(np.sum(trimmed**2), np.sum(tone**2), rtol=1e-2)


def test_silence_is_trimmed_to_nothing() -> None:
    assert len(trim(np.zeros(5000, np.float32))) == 0


@given(st.lists(st.floats(1, 20), min_size=8, max_size=60), st.floats(0.1, 10))
def test_the_chosen_speed_is_the_best_of_those_allowed(frames: list[float], wanted_s: float) -> None:
    predicted = Timing((np.array(frames),))
    chosen = predicted.speed_for(wanted_s)
    assert SLOWEST <= chosen <= FASTEST
    error = abs(predicted.duration_s(chosen) - wanted_s)
    assert all(error <= abs(predicted.duration_s(speed) - wanted_s) + 1e-9 for speed in (0.85, 0.9, 1.0, 1.1, 1.25))


@pytest.mark.parametrize("speed", [0.85, 1.25])
def test_the_model_takes_exactly_as_long_as_it_says(model: Kokoro, speed: float) -> None:
    spelled = spell("I know.", "en")
    frames = np.maximum(1, np.round(model.natural_frames(spelled, MAN) / speed))
    assert len(model.speak(spelled, MAN, speed)) == 600 * frames.sum()


@pytest.mark.parametrize(("text", "language"), [("La tormenta llegó.", "es"), ("I know.", "en")])
def test_trimmed_speech_is_as_long_as_predicted(model: Kokoro, text: str, language: str) -> None:
    spelled = [spell(text, language)]
    said = speak_pieces(model, spelled, BLEND, 1.1)
    assert len(said) / SAMPLE_RATE_HZ == pytest.approx(timing(model, spelled, BLEND).duration_s(1.1), abs=0.13)


def test_speech_is_the_same_each_time_and_another_in_another_voice(weights: Path) -> None:
    one, again = (synthesise("Sí.", "es", MAN, speed=1.0, weights=weights, threads=1) for _ in range(2))
    other = synthesise("Sí.", "es", BLEND, speed=1.0, weights=weights, threads=1)
    assert np.array_equal(one, again)
    assert one.dtype == np.float32 and 0.05 < np.abs(one).max() < 1.5
    length = min(len(one), len(other))
    assert abs(np.corrcoef(one[:length], other[:length])[0, 1]) < 0.9


def test_long_texts_are_cut_where_the_model_can_breathe(model: Kokoro) -> None:
    spelled = spell("The storm came, and it went on for days. " * 30, "en")
    parts = pieces(model, spelled)
    assert len(parts) > 1 and " ".join(parts) == spelled
    assert all(0 < len(model.tokens(part)) <= LONGEST_TOKENS for part in parts)
    assert all(part.endswith(".") for part in parts)


@given(st.integers(1, 2000))
def test_words_without_end_are_cut_too(model: Kokoro, length: int) -> None:
    parts = pieces(model, "a" * length)
    assert "".join(parts) == "a" * length
    assert all(len(part) <= LONGEST_TOKENS for part in parts)


def test_nothing_to_say_is_a_bad_request(weights: Path) -> None:
    with pytest.raises(RequestError, match="no word"):
        synthesise("?!", "es", MAN, speed=1.0, weights=weights, threads=1)


def test_unknown_voices_are_named(model: Kokoro) -> None:
    with pytest.raises(RequestError, match=r"nobody.*jm_kumo"):
        model.natural_frames("a", [("nobody", 1.0)])


def test_a_folder_without_the_model_is_a_weights_error(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"this is no network")
    with pytest.raises(WeightsError, match=str(tmp_path)):
        load_kokoro(tmp_path, 1)
