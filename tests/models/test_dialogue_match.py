"""A script over what was recognised: one line for each cue, no word lost, nobody speaks twice at once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.dialogue.lines import build_lines
from models.dialogue.match import match_script
from models.dialogue.overlaps import without_overlaps
from schemas.errors import RequestError
from schemas.media import TimeSpan
from schemas.speech import Cue, Line, Transcript, Turn, Word

DURATION_S = 30.0


def _span(start_s: float, end_s: float) -> TimeSpan:
    return TimeSpan(start_s=start_s, end_s=end_s)


def _transcript(words: list[Word], turns: list[Turn]) -> Transcript:
    lines = build_lines(words, turns, dialogue=None)
    return Transcript(language="en", lines=lines, words=tuple(words), turns=tuple(turns))


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    words, at_s = [], draw(st.floats(0.0, 3.0))
    for number in range(draw(st.integers(0, 20))):
        end_s = min(at_s + draw(st.floats(0.05, 0.9)), DURATION_S)
        words.append(Word(text=f"w{number}", span=_span(at_s, end_s)))
        at_s = end_s + draw(st.sampled_from([0.0, 0.05, 0.4, 1.5]))
        if at_s > DURATION_S - 1:
            break
    places = st.tuples(st.sampled_from(["S1", "S2"]), st.floats(0, 25), st.floats(0.1, 8))
    turns = [
        Turn(speaker=who, span=_span(start_s, start_s + long_s))
        for who, start_s, long_s in draw(st.lists(places, max_size=5))
    ]
    return _transcript(words, turns)


cue_lists = st.lists(
    st.builds(
        lambda start_s, long_s, text, speaker: Cue(span=_span(start_s, start_s + long_s), text=text, speaker=speaker),
        st.floats(0, DURATION_S - 0.5),
        st.floats(0.05, 6.0),
        st.sampled_from(["hola", "buenos días", "adiós"]),
        st.sampled_from([None, None, "Ana", "S2"]),
    ),
    max_size=8,
)


@given(transcripts(), cue_lists)
@settings(max_examples=150, deadline=None)
def test_every_cue_and_every_word_is_in_exactly_one_line(transcript: Transcript, cues: list[Cue]) -> None:
    script = match_script(transcript, cues, "es", DURATION_S)
    spoken = [word for line in script.lines for word in line.source_text.split()]
    assert sorted(spoken) == sorted(word.text for word in transcript.words)
    dubbed = [line.target_text for line in script.lines if line.target_text is not None]
    assert sorted(dubbed) == sorted(cue.text for cue in cues)
    assert [line.id for line in script.lines] == [f"L{number:04d}" for number in range(1, len(script.lines) + 1)]
    assert len([warning for warning in script.warnings if "original voice is kept" in warning]) == len(
        [line for line in script.lines if line.target_text is None]
    )


@given(transcripts(), cue_lists)
@settings(max_examples=150, deadline=None)
def test_nobody_says_two_things_at_once(transcript: Transcript, cues: list[Cue]) -> None:
    script = match_script(transcript, cues, "es", DURATION_S)
    starts = [line.span.start_s for line in script.lines]
    assert starts == sorted(starts)
    for index, line in enumerate(script.lines):
        assert line.span.end_s <= DURATION_S + 1e-9
        assert all(line.span.start_s < pause.start_s < pause.end_s < line.span.end_s for pause in line.pauses)
        same = [other for other in script.lines[index + 1 :] if other.speaker == line.speaker]
        assert all(line.span.overlap_s(other.span) < 1e-9 for other in same)


@given(st.lists(st.tuples(st.sampled_from("AB"), st.floats(0, 5), st.floats(0.01, 5)), max_size=10))
def test_overlaps_of_one_speaker_are_resolved(places: list[tuple[str, float, float]]) -> None:
    lines = [
        Line(id="", speaker=w, span=_span(a, a + long), source_text=str(i)) for i, (w, a, long) in enumerate(places)
    ]
    apart = without_overlaps(lines)
    assert sorted(line.source_text for line in apart) == sorted(line.source_text for line in lines)
    for index, line in enumerate(apart):
        assert all(line.span.overlap_s(o.span) < 1e-9 for o in apart[index + 1 :] if o.speaker == line.speaker)


WORDS = [
    Word(text="Good", span=_span(1.0, 1.3)),
    Word(text="morning.", span=_span(1.3, 2.0)),
    Word(text="Hello", span=_span(3.0, 3.4)),
    Word(text="there.", span=_span(3.4, 4.0)),
    Word(text="Bye.", span=_span(8.0, 8.5)),
]
TURNS = [Turn(speaker="S1", span=_span(0.9, 2.1)), Turn(speaker="S2", span=_span(2.9, 8.6))]


def test_speech_rules_where_a_cue_is_early_or_late() -> None:
    cues = [Cue(span=_span(0.4, 2.6), text="Buenos días."), Cue(span=_span(2.7, 3.6), text="Hola.")]
    script = match_script(_transcript(WORDS, TURNS), cues, "es", DURATION_S)
    first, second, rest = script.lines
    assert (first.span, first.source_text, first.speaker) == (_span(1.0, 2.0), "Good morning.", "S1")
    assert (second.span, second.source_text, second.speaker) == (_span(3.0, 4.0), "Hello there.", "S2")
    assert rest.target_text is None and rest.source_text == "Bye." and rest.span == _span(8.0, 8.5)
    (warning,) = script.warnings
    assert "0:08.00" in warning and "'Bye.'" in warning


def test_one_cue_over_two_sentences_keeps_the_silence_between() -> None:
    script = match_script(_transcript(WORDS, TURNS), [Cue(span=_span(0.5, 4.2), text="Hola.")], "es", DURATION_S)
    assert script.lines[0].span == _span(1.0, 4.0)
    assert script.lines[0].pauses == (_span(2.0, 3.0),)


def test_a_cue_without_speech_keeps_its_own_time() -> None:
    cue = Cue(span=_span(5.0, 6.5), text="(Se ríe.)")
    line = next(
        line for line in match_script(_transcript(WORDS, TURNS), [cue], "es", DURATION_S).lines if line.target_text
    )
    assert (line.span, line.source_text, line.speaker) == (cue.span, "", "S2")


def test_the_users_names_stand_for_the_voices_they_name() -> None:
    cues = [
        Cue(span=_span(0.9, 2.1), text="Buenos días.", speaker="Ana"),
        Cue(span=_span(2.9, 4.1), text="Hola.", speaker="S1"),
    ]
    lines = match_script(_transcript(WORDS, TURNS), cues, "es", DURATION_S).lines
    assert [line.speaker for line in lines] == ["Ana", "S1", "S1"]


def test_a_diarized_name_that_the_user_took_is_not_shared() -> None:
    cues = [Cue(span=_span(2.9, 4.1), text="Hola.", speaker="S1")]
    lines = match_script(_transcript(WORDS, TURNS), cues, "es", DURATION_S).lines
    assert [line.speaker for line in lines] == ["S2", "S1", "S1"]


def test_a_cue_after_the_end_is_refused() -> None:
    cues = [Cue(span=_span(1.0, 2.0), text="Hola."), Cue(span=_span(31.0, 32.0), text="Adiós.")]
    with pytest.raises(RequestError, match=r"cue 2 .*'Adiós\.'.*0:31\.00.*0:30\.00"):
        match_script(_transcript(WORDS, TURNS), cues, "es", DURATION_S)


def test_a_cue_over_the_end_is_cut_with_a_warning() -> None:
    cues = [Cue(span=_span(29.0, 33.0), text="Fin."), Cue(span=_span(1.0, 9.0), text=" ")]
    script = match_script(_transcript([], []), cues, "es", DURATION_S)
    assert script.lines[0].span == _span(29.0, 30.0)
    assert len(script.warnings) == 2 and "cue 1" in script.warnings[0] and "cue 2" in script.warnings[1]
