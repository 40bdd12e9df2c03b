"""Words into lines: nothing lost, nothing out of order, edges where the sound is."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.dialogue.attribution import attribute_words
from models.dialogue.lines import build_lines, prepare_words
from models.dialogue.quiet import DialogueSound, tighten_words
from models.dialogue.timing import utterance_room_s
from models.dialogue.utterances import LONGEST_GAP_S, LONGEST_LINE_S, cut_into_utterances, join_words
from schemas.media import TimeSpan
from schemas.speech import Line, Turn, Word

RATE_HZ = 16_000


@st.composite
def spoken_words(draw: st.DrawFn) -> list[Word]:
    """Words in time order with gaps, and now and then punctuation."""
    words, at_s = [], draw(st.floats(0.0, 3.0))
    for number in range(draw(st.integers(0, 30))):
        length_s = draw(st.floats(0.05, 0.9))
        mark = draw(st.sampled_from(["", "", "", ",", ".", "?"]))
        words.append(Word(text=f"w{number}{mark}", span=TimeSpan(start_s=at_s, end_s=at_s + length_s)))
        at_s += length_s + draw(st.sampled_from([0.0, 0.0, 0.05, 0.3, 0.8]))
    return words


@st.composite
def speaker_turns(draw: st.DrawFn) -> list[Turn]:
    turns = draw(st.lists(st.tuples(st.sampled_from("ABC"), st.floats(0, 25), st.floats(0.05, 8)), max_size=6))
    return [Turn(speaker=who, span=TimeSpan(start_s=at_s, end_s=at_s + long_s)) for who, at_s, long_s in turns]


@st.composite
def sounds(draw: st.DrawFn) -> np.ndarray | None:
    """Noise bursts and silences: a dialogue that fits the words badly, or none."""
    if draw(st.booleans()):
        return None
    levels = draw(st.lists(st.sampled_from([0.0, 1e-4, 0.1]), min_size=1, max_size=40))
    seed = draw(st.integers(0, 9))
    noise = np.random.default_rng(seed).standard_normal(len(levels) * 8000).astype(np.float32)
    return noise * np.repeat(np.array(levels, np.float32), 8000)


@given(spoken_words(), speaker_turns(), sounds())
@settings(max_examples=60, deadline=None)
def test_lines_hold_every_word_once_and_never_overlap(
    words: list[Word], turns: list[Turn], dialogue: np.ndarray | None
) -> None:
    lines = build_lines(words, turns, dialogue=dialogue)
    assert " ".join(line.source_text for line in lines) == " ".join(word.text for word in words)
    assert [line.id for line in lines] == [f"L{number:04d}" for number in range(1, len(lines) + 1)]
    assert all(a.span.end_s <= b.span.start_s + 1e-9 for a, b in pairwise(lines))
    for line in lines:
        assert all(line.span.start_s < pause.start_s < pause.end_s < line.span.end_s for pause in line.pauses)
        assert all(pause.duration_s >= 0.25 - 1e-9 for pause in line.pauses)
        assert line.speaker in {turn.speaker for turn in turns} | {"S1"}


@given(spoken_words(), speaker_turns(), sounds())
@settings(max_examples=40, deadline=None)
def test_edges_move_by_at_most_three_tenths(words: list[Word], turns: list[Turn], dialogue: np.ndarray | None) -> None:
    utterances = cut_into_utterances(prepare_words(words, turns, dialogue=dialogue))
    for utterance, line in zip(utterances, build_lines(words, turns, dialogue=dialogue), strict=True):
        assert abs(line.span.start_s - utterance[0].span.start_s) <= 0.3 + 1e-6
        assert abs(line.span.end_s - utterance[-1].span.end_s) <= 0.3 + 1e-6


@given(spoken_words(), speaker_turns())
@settings(max_examples=80, deadline=None)
def test_utterances_are_of_one_speaker_short_and_without_long_gaps(words: list[Word], turns: list[Turn]) -> None:
    attributed = attribute_words(words, turns)
    assert attribute_words(attributed, turns) == attributed
    for utterance in cut_into_utterances(attributed):
        assert len({word.speaker for word in utterance}) == 1
        assert len(utterance) == 1 or utterance[-1].span.end_s - utterance[0].span.start_s <= LONGEST_LINE_S
        assert all(b.span.start_s - a.span.end_s <= LONGEST_GAP_S for a, b in pairwise(utterance))


def _words(*timed: tuple[str, float, float]) -> list[Word]:
    return [Word(text=text, span=TimeSpan(start_s=start_s, end_s=end_s)) for text, start_s, end_s in timed]


def _turn(speaker: str, start_s: float, end_s: float) -> Turn:
    return Turn(speaker=speaker, span=TimeSpan(start_s=start_s, end_s=end_s))


def test_a_line_ends_where_the_speaker_changes() -> None:
    words = _words(("Good", 0.0, 0.4), ("morning.", 0.4, 1.0), ("Hello", 1.05, 1.5), ("there.", 1.5, 2.0))
    lines = build_lines(words, [_turn("S1", 0.0, 1.02), _turn("S2", 1.02, 2.0)], dialogue=None)
    assert [(line.speaker, line.source_text) for line in lines] == [("S1", "Good morning."), ("S2", "Hello there.")]


def test_a_line_ends_after_a_sentence_and_at_a_long_gap() -> None:
    words = _words(("One.", 0.0, 0.5), ("Two", 0.8, 1.2), ("three", 2.0, 2.5), ("Dr.", 2.5, 2.8), ("Four", 2.85, 3.0))
    assert [line.source_text for line in build_lines(words, [], dialogue=None)] == ["One.", "Two", "three Dr. Four"]


def test_a_short_flip_is_no_change_of_speaker() -> None:
    words = _words(("I", 0.0, 0.2), ("mean", 0.2, 0.6), ("a", 0.6, 0.7), ("house", 0.7, 1.2), ("here.", 1.2, 1.8))
    turns = [_turn("S1", 0.0, 0.6), _turn("S2", 0.6, 0.7), _turn("S1", 0.7, 1.8)]
    (line,) = build_lines(words, turns, dialogue=None)
    assert line.speaker == "S1"


def test_a_sentence_keeps_its_first_word_although_diarization_is_late() -> None:
    words = _words(("Yes.", 0.0, 0.6), ("But", 0.7, 0.9), ("the", 0.9, 1.0), ("sea", 1.0, 1.5), ("is", 1.5, 1.7))
    lines = build_lines(words, [_turn("S1", 0.0, 0.95), _turn("S2", 0.95, 1.7)], dialogue=None)
    assert [(line.speaker, line.source_text) for line in lines] == [("S1", "Yes."), ("S2", "But the sea is")]


def test_a_long_utterance_is_cut_at_its_comma() -> None:
    texts = [f"w{number}" for number in range(40)]
    texts[17] = "w17,"
    words = _words(*((text, 0.4 * number, 0.4 * number + 0.4) for number, text in enumerate(texts)))
    assert [line.source_text.split()[-1] for line in build_lines(words, [], dialogue=None)] == ["w17,", "w39"]


def _bursts(*spans: tuple[float, float], length_s: float) -> np.ndarray:
    sound = np.zeros(round(length_s * RATE_HZ), np.float32)
    for start_s, end_s in spans:
        first, last = round(start_s * RATE_HZ), round(end_s * RATE_HZ)
        sound[first:last] = 0.1 * np.random.default_rng(first).standard_normal(last - first)
    return sound


def test_edges_follow_the_sound_and_pauses_are_where_it_is_quiet() -> None:
    sound = _bursts((1.2, 2.0), (2.6, 3.5), length_s=5.0)
    words = _words(("We", 1.0, 1.6), ("wait,", 1.6, 2.6), ("then", 2.6, 2.9), ("go", 2.9, 3.7))
    (line,) = build_lines(words, [], dialogue=sound)
    assert line.span.start_s == pytest.approx(1.2, abs=0.02)
    assert line.span.end_s == pytest.approx(3.5, abs=0.02)
    (pause,) = line.pauses
    assert (pause.start_s, pause.end_s) == (pytest.approx(2.0, abs=0.03), pytest.approx(2.6, abs=0.03))


def test_a_gap_that_sounds_is_no_pause() -> None:
    words = _words(("One", 0.5, 1.0), ("two", 1.5, 2.0))
    (line,) = build_lines(words, [], dialogue=_bursts((0.5, 2.0), length_s=3.0))
    assert line.pauses == ()
    (line,) = build_lines(words, [], dialogue=None)
    assert line.pauses == (TimeSpan(start_s=1.0, end_s=1.5),)


def test_a_word_is_tightened_to_its_longest_sound() -> None:
    sound = DialogueSound(_bursts((0.0, 1.05), (2.0, 2.4), length_s=3.0), RATE_HZ)
    (word,) = tighten_words(_words(("I", 1.0, 2.6)), sound)
    assert (word.span.start_s, word.span.end_s) == (pytest.approx(2.0, abs=0.02), pytest.approx(2.4, abs=0.03))
    silent = _words(("ghost", 1.2, 1.9))
    assert tighten_words(silent, sound) == tuple(silent)


def test_texts_are_joined_as_their_script_is_written() -> None:
    assert join_words(["Hello", "there."]) == "Hello there."
    assert join_words(["甚", "至", "OK", "出现"]) == "甚至 OK 出现"
    assert join_words([]) == ""


spans = st.tuples(st.floats(0, 20), st.floats(0.05, 5)).map(lambda x: TimeSpan(start_s=x[0], end_s=x[0] + x[1]))


@given(st.lists(spans, min_size=1, max_size=8), st.data())
def test_room_is_silence_that_nobody_else_needs(places: list[TimeSpan], data: st.DataObject) -> None:
    lines = [
        Line(id=f"L{number}", speaker=f"S{number % 2}", span=span, source_text="") for number, span in enumerate(places)
    ]
    index = data.draw(st.integers(0, len(lines) - 1))
    room_s = utterance_room_s(lines, index, 30.0)
    assert 0.0 <= room_s <= 1.0
    if room_s > 0:
        end_s = lines[index].span.end_s
        taken = TimeSpan(start_s=end_s, end_s=end_s + room_s)
        assert all(line.span.overlap_s(taken) == 0 for i, line in enumerate(lines) if i != index)
        assert end_s + room_s <= 30.0


def test_room_ends_a_tenth_before_the_next_line() -> None:
    lines = [
        Line(id=f"L{n}", speaker="S1", span=TimeSpan(start_s=a, end_s=b), source_text="")
        for n, (a, b) in enumerate([(0.0, 1.0), (1.5, 2.0), (9.0, 9.95)])
    ]
    assert utterance_room_s(lines, 0, 10.0) == pytest.approx(0.4)
    assert utterance_room_s(lines, 1, 10.0) == 1.0
    assert utterance_room_s(lines, 2, 10.0) == 0.0
