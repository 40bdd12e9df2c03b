"""Recognised words and speaker turns made into lines."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from media.activity import speech_offset_s, speech_onset_s
from models.dialogue.attribution import FIRST_SPEAKER, attribute_words
from models.dialogue.quiet import DialogueSound, tighten_words
from models.dialogue.utterances import cut_into_utterances, join_words
from schemas.media import TimeSpan
from schemas.speech import Line, Turn, Word

SHORTEST_PAUSE_S = 0.25
_SNAP_S = 0.3
_LEVEL_S = 0.5
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
    """Move both edges of each span to where speech begins and ends.

    By at most 0.3 s, and never past the middle of the gap to a neighbour.
    """
    if not spans:
        return []
    end_of_sound_s = len(sound.samples) / sound.sample_rate_hz
    middles = [(before.end_s + after.start_s) / 2 for before, after in pairwise(spans)]
    earliest_s = [0.0, *middles]
    latest_s = [*middles, max(end_of_sound_s, spans[-1].end_s)]
    return [_between(span, sound, *limits) for span, *limits in zip(spans, earliest_s, latest_s, strict=True)]


def _between(span: TimeSpan, sound: DialogueSound, earliest_s: float, latest_s: float) -> TimeSpan:
    """One span fitted to the speech that lies in [earliest_s, latest_s)."""
    start_from_s, start_to_s = max(earliest_s, span.start_s - _SNAP_S), min(span.start_s + _SNAP_S, span.end_s)
    end_from_s, end_to_s = max(span.end_s - _SNAP_S, span.start_s), min(latest_s, span.end_s + _SNAP_S)
    # The level of the speech itself is needed to tell it from a breath: look half a second into the line.
    opening = TimeSpan(start_s=start_from_s, end_s=min(span.start_s + _LEVEL_S, max(span.end_s, start_to_s)))
    closing = TimeSpan(start_s=max(span.end_s - _LEVEL_S, min(span.start_s, end_from_s)), end_s=end_to_s)
    onset_s = speech_onset_s(sound.samples, sound.sample_rate_hz, opening)
    offset_s = speech_offset_s(sound.samples, sound.sample_rate_hz, closing)
    # The search rounds to samples: hold it to its limits.
    start_s = span.start_s if onset_s is None or onset_s > start_to_s else max(onset_s, start_from_s)
    end_s = span.end_s if offset_s is None or offset_s < end_from_s else min(offset_s, end_to_s)
    return TimeSpan(start_s=start_s, end_s=end_s) if end_s - start_s >= _SHORTEST_LINE_S else span
