"""Recognised words and speaker turns made into lines."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from models.dialogue.attribution import FIRST_SPEAKER, attribute_words
from models.dialogue.quiet import DialogueSound, tighten_words
from models.dialogue.utterances import cut_into_utterances, join_words
from schemas.media import TimeSpan
from schemas.speech import Line, Turn, Word

SHORTEST_PAUSE_S = 0.25
_SNAP_S = 0.3
_SHORTEST_LINE_S = 0.05
_SAMPLE_RATE_HZ = 16_000


def build_lines(words: Sequence[Word], turns: Sequence[Turn], *, dialogue: np.ndarray | None) -> tuple[Line, ...]:
    """Make lines of recognised words: one speaker, one utterance each, in time order, not overlapping.

    Args:
        words: In time order.
        turns: Of the diarization.
        dialogue: The separated dialogue, mono at 16 kHz, to which edges and pauses are fitted; None: word times rule.
    """
    sound = None if dialogue is None else DialogueSound(dialogue, _SAMPLE_RATE_HZ)
    utterances = cut_into_utterances(prepare_words(words, turns, dialogue=dialogue))
    spans = [TimeSpan(start_s=words[0].span.start_s, end_s=words[-1].span.end_s) for words in utterances]
    snapped = spans if sound is None else _snapped(spans, sound)
    return tuple(
        Line(
            id=line_id(number),
            speaker=utterance[0].speaker or FIRST_SPEAKER,
            span=span,
            source_text=join_words([word.text for word in utterance]),
            pauses=_pauses(utterance, span, sound),
        )
        for number, (utterance, span) in enumerate(zip(utterances, snapped, strict=True), 1)
    )


def prepare_words(
    words: Sequence[Word], turns: Sequence[Turn], *, dialogue: np.ndarray | None = None
) -> tuple[Word, ...]:
    """Words as lines are built from them: shrunk to what sounds, each with its speaker. Does nothing twice."""
    tight = tuple(words) if dialogue is None else tighten_words(words, DialogueSound(dialogue, _SAMPLE_RATE_HZ))
    return attribute_words(tight, turns)


def line_id(number: int) -> str:
    """The id of the `number`-th line, counted from 1."""
    return f"L{number:04d}"


def word_gaps(words: Sequence[Word]) -> tuple[TimeSpan, ...]:
    """The gaps of at least 0.25 s between words."""
    return tuple(
        TimeSpan(start_s=before.span.end_s, end_s=after.span.start_s)
        for before, after in pairwise(words)
        if after.span.start_s - before.span.end_s >= SHORTEST_PAUSE_S
    )


def _pauses(words: Sequence[Word], span: TimeSpan, sound: DialogueSound | None) -> tuple[TimeSpan, ...]:
    gaps = [gap for gap in word_gaps(words) if span.start_s < gap.start_s and gap.end_s < span.end_s]
    if sound is None:
        return tuple(gaps)
    quiet = (sound.longest_quiet(gap) for gap in gaps)
    return tuple(pause for pause in quiet if pause is not None and pause.duration_s >= SHORTEST_PAUSE_S)


def _snapped(spans: Sequence[TimeSpan], sound: DialogueSound) -> list[TimeSpan]:
    """Move both edges of each span to where the sound begins and ends, up to 0.3 s, but never past
    the middle of the gap to its neighbour."""
    end_of_sound_s = len(sound.samples) / sound.sample_rate_hz
    middles = (
        [0.0, *((a.end_s + b.start_s) / 2 for a, b in pairwise(spans)), max(end_of_sound_s, spans[-1].end_s)]
        if spans
        else []
    )
    result = []
    for span, earliest_s, latest_s in zip(spans, middles[:-1], middles[1:], strict=True):
        start_s = _onset_near(span, max(earliest_s, span.start_s - _SNAP_S), sound)
        end_s = _offset_near(span, min(latest_s, span.end_s + _SNAP_S), sound)
        fits = end_s - start_s >= _SHORTEST_LINE_S
        result.append(TimeSpan(start_s=start_s, end_s=end_s) if fits else span)
    return result


def _onset_near(span: TimeSpan, earliest_s: float, sound: DialogueSound) -> float:
    latest_s = min(span.start_s + _SNAP_S, span.end_s)
    if latest_s - earliest_s < 2 * _SHORTEST_LINE_S:
        return span.start_s
    sounding = sound.sounding(TimeSpan(start_s=earliest_s, end_s=latest_s))
    return span.start_s if sounding is None else sounding.start_s


def _offset_near(span: TimeSpan, latest_s: float, sound: DialogueSound) -> float:
    earliest_s = max(span.end_s - _SNAP_S, span.start_s)
    if latest_s - earliest_s < 2 * _SHORTEST_LINE_S:
        return span.end_s
    sounding = sound.sounding(TimeSpan(start_s=earliest_s, end_s=latest_s))
    return span.end_s if sounding is None else sounding.end_s
