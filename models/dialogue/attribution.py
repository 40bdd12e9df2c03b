"""Which speaker says which word."""

from collections.abc import Sequence

from models.dialogue.punctuation import ends_sentence
from schemas.media import TimeSpan
from schemas.speech import Turn, Word

FIRST_SPEAKER = "S1"
_FLIP_S = 0.3
_SLIP_S = 1.0
_FLUENT_S = 0.3


def attribute_words(words: Sequence[Word], turns: Sequence[Turn]) -> tuple[Word, ...]:
    """Give each word the speaker of the turn it overlaps most, or else of the nearest turn.

    A word that has a speaker keeps it; without turns all words are S1's. A single short word between
    words of one other speaker is taken for that speaker's, and so are the first or last few words of a
    sentence that is otherwise another's: diarization misses the change by some tenths of a second.
    """
    if all(word.speaker is not None for word in words):
        return tuple(words)
    attributed = [
        word if word.speaker is not None else word.model_copy(update={"speaker": speaker_at(word.span, turns)})
        for word in words
    ]
    smoothed = _smooth_flips(attributed)
    return tuple(word for sentence in _sentences(smoothed) for word in _smooth_edges(sentence, turns))


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


def _sentences(words: Sequence[Word]) -> list[list[Word]]:
    sentences: list[list[Word]] = []
    for word in words:
        if sentences and not ends_sentence(sentences[-1][-1].text):
            sentences[-1].append(word)
        else:
            sentences.append([word])
    return sentences


def _smooth_edges(sentence: list[Word], turns: Sequence[Turn]) -> list[Word]:
    """Give a short run at either edge of a sentence, said without a gap, to the speaker of most of it."""
    main = speaker_at(TimeSpan(start_s=sentence[0].span.start_s, end_s=sentence[-1].span.end_s), turns)
    mains = [index for index, word in enumerate(sentence) if word.speaker == main]
    if not mains:
        return sentence
    first, last = mains[0], mains[-1] + 1
    head, core, tail = sentence[:first], sentence[first:last], sentence[last:]
    if _is_slip(head) and _is_fluent(head[-1], core[0]):
        head = _given(head, main)
    if _is_slip(tail) and _is_fluent(core[-1], tail[0]):
        tail = _given(tail, main)
    return [*head, *core, *tail]


def _is_slip(run: Sequence[Word]) -> bool:
    return bool(run) and run[-1].span.end_s - run[0].span.start_s <= _SLIP_S


def _is_fluent(before: Word, after: Word) -> bool:
    return after.span.start_s - before.span.end_s < _FLUENT_S


def _given(run: Sequence[Word], speaker: str | None) -> list[Word]:
    return [word.model_copy(update={"speaker": speaker}) for word in run]
