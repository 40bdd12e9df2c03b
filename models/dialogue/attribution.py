"""Which speaker says which word."""

from collections.abc import Sequence

from schemas.media import TimeSpan
from schemas.speech import Turn, Word

FIRST_SPEAKER = "S1"
_FLIP_S = 0.3


def attribute_words(words: Sequence[Word], turns: Sequence[Turn]) -> tuple[Word, ...]:
    """Give each word the speaker of the turn it overlaps most, or else of the nearest turn.

    A word that has a speaker keeps it; without turns all words are S1's. A single short word between
    words of one other speaker is taken for that speaker's.
    """
    attributed = [
        word if word.speaker is not None else word.model_copy(update={"speaker": speaker_at(word.span, turns)})
        for word in words
    ]
    return tuple(_smooth_flips(attributed))


def speaker_at(span: TimeSpan, turns: Sequence[Turn]) -> str:
    """The speaker with the most overlap with `span`, or else of the nearest turn."""
    if not turns:
        return FIRST_SPEAKER
    overlap_s: dict[str, float] = {}
    for turn in turns:
        overlap_s[turn.speaker] = overlap_s.get(turn.speaker, 0.0) + turn.span.overlap_s(span)
    best = max(overlap_s, key=lambda speaker: overlap_s[speaker])
    if overlap_s[best] > 0:
        return best
    return min(turns, key=lambda turn: distance_s(turn.span, span)).speaker


def distance_s(a: TimeSpan, b: TimeSpan) -> float:
    """Seconds between two spans; 0 where they meet."""
    return max(0.0, a.start_s - b.end_s, b.start_s - a.end_s)


def _smooth_flips(words: list[Word]) -> list[Word]:
    smoothed = list(words)
    for index in range(1, len(words) - 1):
        before, word, after = smoothed[index - 1], smoothed[index], words[index + 1]
        surrounded = before.speaker == after.speaker != word.speaker
        if surrounded and word.span.duration_s < _FLIP_S:
            smoothed[index] = word.model_copy(update={"speaker": before.speaker})
    return smoothed
