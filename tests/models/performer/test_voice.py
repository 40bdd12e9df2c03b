"""Whose voice it is: packaged recordings, an actor's cleanest speech, and words placed by what was heard."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cascade.cast import OriginalVoice
from models.performer.voice import (
    LONGEST_S,
    SHORTEST_S,
    cast_packaged,
    cleanest,
    levelled,
    named,
    packaged_voices,
    placed_words,
    shifted,
)
from models.weights.resolve import speaker_encoder
from schemas.errors import MediaError, RequestError, WeightsError
from schemas.media import TimeSpan
from schemas.speech import Word

RATE_HZ = 1000


def words(*spans: tuple[str, float, float]) -> tuple[Word, ...]:
    return tuple(Word(text=text, span=TimeSpan(start_s=start_s, end_s=end_s)) for text, start_s, end_s in spans)


def test_packaged_voices_are_read_and_the_nearest_is_cast(random_engine: Path) -> None:
    voices = packaged_voices(random_engine / "jamflow-tiny" / "voices", speaker_encoder().path)
    assert [voice.name for voice in voices] == ["low", "high"]
    originals = {voice.name: OriginalVoice(voice.embedding, voice.median_f0_hz) for voice in reversed(voices)}
    assert {speaker: own.name for speaker, own in cast_packaged(originals, voices, "en").items()} == {
        "high": "high",
        "low": "low",
    }
    assert cast_packaged({}, voices, "en") == {}
    assert named(voices, "high").name == "high"
    with pytest.raises(RequestError, match="choose one of low, high"):
        named(voices, "alto")


@pytest.mark.parametrize("content", ["[]", "{", '[{"name": "a"}]'])
def test_a_damaged_list_of_voices_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "voices.json").write_text(content)
    with pytest.raises(WeightsError, match=r"voices\.json"):
        packaged_voices(tmp_path, speaker_encoder().path)


def test_phones_that_the_model_does_not_know_are_told(random_engine: Path, tmp_path: Path) -> None:
    shutil.copytree(random_engine / "jamflow-tiny" / "voices", tmp_path / "voices")
    listed = json.loads((tmp_path / "voices" / "voices.json").read_text())
    listed[1]["phones"][1][0] = "XX"
    (tmp_path / "voices" / "voices.json").write_text(json.dumps(listed))
    with pytest.raises(WeightsError, match=r"voice high has unknown phones \['XX'\]"):
        packaged_voices(tmp_path / "voices", speaker_encoder().path)


def test_references_are_raised_to_the_models_level() -> None:
    quiet = 0.01 * np.sin(np.arange(16_000) / 5)[:, None]
    raised = levelled(quiet, 16_000)
    assert len(raised) == 24_000 and np.sqrt(np.mean(raised**2)) == pytest.approx(0.1, rel=0.02)
    with pytest.raises(MediaError, match="somebody speaks"):
        levelled(np.zeros((16_000, 1)), 16_000)


def test_the_cleanest_stretch_is_where_the_voice_stands_above_the_noise() -> None:
    said = words(*((f"w{at}", at * 0.5, at * 0.5 + 0.45) for at in range(40)))
    dialogue = np.full(20 * RATE_HZ, 0.1)
    background = np.where(np.arange(20 * RATE_HZ) < 12 * RATE_HZ, 0.1, 0.001)
    found = cleanest([said], dialogue, background, RATE_HZ)
    assert found is not None
    span, inside = found
    assert span.start_s >= 11.9 and SHORTEST_S - 0.1 <= span.duration_s <= LONGEST_S + 0.11
    assert inside[0].span.start_s >= span.start_s and inside[-1].span.end_s <= span.end_s


def test_a_reference_never_runs_over_two_utterances() -> None:
    one, two = words(("a", 0.0, 2.0)), words(("b", 2.1, 4.5))
    found = cleanest([one, two], np.ones(5 * RATE_HZ), np.zeros(5 * RATE_HZ), RATE_HZ)
    assert found is not None and [word.text for word in found[1]] == ["b"]  # none lasts 3 s: the longest is taken


def test_too_little_speech_is_no_reference() -> None:
    assert cleanest([words(("a", 0.0, 0.9))], np.ones(RATE_HZ), np.zeros(RATE_HZ), RATE_HZ) is None
    assert cleanest([], np.ones(RATE_HZ), np.zeros(RATE_HZ), RATE_HZ) is None


def test_words_move_with_their_recording() -> None:
    (moved,) = shifted(words(("a", 5.0, 6.0)), 4.5, 1.2)
    assert (moved.span.start_s, moved.span.end_s) == pytest.approx((0.5, 1.2))


HEARD = words(("one", 0.5, 1.0), ("two", 1.5, 2.0), ("three", 2.0, 3.0))


def test_equal_words_keep_their_times() -> None:
    assert [(own.text, own.span) for own in placed_words("one two three", HEARD)] == [
        (own.text, own.span) for own in HEARD
    ]


@given(st.lists(st.text("abc", min_size=1, max_size=9), min_size=1, max_size=12))
def test_other_words_share_the_same_time_in_order(written: list[str]) -> None:
    placed = placed_words(" ".join(written), HEARD)
    assert [own.text for own in placed] == written
    assert placed[0].span.start_s == pytest.approx(0.5) and placed[-1].span.end_s == pytest.approx(3.0)
    starts = [own.span.start_s for own in placed]
    assert starts == sorted(starts)


def test_a_text_without_words_is_told() -> None:
    with pytest.raises(RequestError, match="do not go together"):
        placed_words("  ", HEARD)
