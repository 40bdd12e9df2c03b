"""Which speaker says which word."""

from collections.abc import Sequence

from models.dialogue.punctuation import ends_sentence
from schemas.media import TimeSpan
from schemas.speech import Turn, Word

FIRST_SPEAKER = "S1"
_FLIP_S = 0.3
_SLIP_WORDS = 3
_SLIP_S = 0.8
_MAIN_SHARE = 0.65


def attribute_words(words: Sequence[Word], turns: Sequence[Turn]) -> tuple[Word, ...]:
    """Give each word the speaker of the turn it overlaps most, or else of the nearest turn.

    A word that has a speaker keeps it; without turns all words are S1's. A single short word between
    words of one other speaker is taken for that speaker's, and so are the first or last few words of a
    sentence that is otherwise another's: diarization misses the change by some tenths of a second.
    """
    attributed = [
        word if word.speaker is not None else word.model_copy(update={"speaker": speaker_at(word.span, turns)})
        for word in words
    ]
    if all(word.speaker is not None for word in words):
        return tuple(words)
    smoothed = _smooth_flips(attributed)
    return tuple(word for sentence in _sentences(smoothed) for word in _smooth_edges(sentence))


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


def _smooth_edges(sentence: list[Word]) -> list[Word]:
    """Give a short run at either edge of a sentence to the speaker of nearly all the rest."""
    spoken_s: dict[str | None, float] = {}
    for word in sentence:
        spoken_s[word.speaker] = spoken_s.get(word.speaker, 0.0) + word.span.duration_s
    main = max(spoken_s, key=lambda speaker: spoken_s[speaker])
    if spoken_s[main] < _MAIN_SHARE * sum(spoken_s.values()):
        return sentence
    mains = [index for index, word in enumerate(sentence) if word.speaker == main]
    head, tail = sentence[: mains[0]], sentence[mains[-1] + 1 :]
    return [
        *(_given(head, main) if _is_slip(head) else head),
        *sentence[mains[0] : mains[-1] + 1],
        *(_given(tail, main) if _is_slip(tail) else tail),
    ]


def _is_slip(run: Sequence[Word]) -> bool:
    return 0 < len(run) <= _SLIP_WORDS and run[-1].span.end_s - run[0].span.start_s <= _SLIP_S


def _given(run: Sequence[Word], speaker: str | None) -> list[Word]:
    return [word.model_copy(update={"speaker": speaker}) for word in run]
