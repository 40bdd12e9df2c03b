"""Words in time order, cut into utterances of one speaker each."""

from collections.abc import Sequence

from models.dialogue.punctuation import ends_clause, ends_sentence
from schemas.speech import Word

LONGEST_GAP_S = 0.7
LONGEST_LINE_S = 12.0
_SENTENCE_GAP_S = 0.2
_SHORTEST_PART_S = 1.5


def cut_into_utterances(words: Sequence[Word]) -> tuple[tuple[Word, ...], ...]:
    """Cut where the speaker changes, at a gap over 0.7 s, and after a sentence followed by a gap.

    What then lasts over 12 s is cut at its best punctuation or widest gap. Every word is in exactly
    one utterance, in order.
    """
    utterances: list[list[Word]] = []
    for word in words:
        if utterances and not _ends_between(utterances[-1][-1], word):
            utterances[-1].append(word)
        else:
            utterances.append([word])
    return tuple(part for utterance in utterances for part in _shortened(tuple(utterance)))


def join_words(texts: Sequence[str]) -> str:
    """Join word texts with spaces, except between scripts written without them."""
    joined = ""
    for text in texts:
        separator = "" if not joined or (_is_unspaced(joined[-1]) and _is_unspaced(text[:1])) else " "
        joined += separator + text
    return joined


def _ends_between(before: Word, after: Word) -> bool:
    gap_s = after.span.start_s - before.span.end_s
    if before.speaker != after.speaker or gap_s > LONGEST_GAP_S:
        return True
    return gap_s >= _SENTENCE_GAP_S and ends_sentence(before.text)


def _shortened(words: tuple[Word, ...]) -> tuple[tuple[Word, ...], ...]:
    if len(words) < 2 or words[-1].span.end_s - words[0].span.start_s <= LONGEST_LINE_S:
        return (words,)
    cut = max(range(1, len(words)), key=lambda index: _worth_of_cut(words, index))
    return _shortened(words[:cut]) + _shortened(words[cut:])


def _worth_of_cut(words: Sequence[Word], index: int) -> float:
    """How good it is to cut before word `index`: punctuation first, then gaps, then the middle."""
    before, after = words[index - 1], words[index]
    whole_s = words[-1].span.end_s - words[0].span.start_s
    left_s = before.span.end_s - words[0].span.start_s
    right_s = words[-1].span.end_s - after.span.start_s
    punctuation = 2.0 if ends_sentence(before.text) else 1.0 if ends_clause(before.text) else 0.0
    too_short = min(left_s, right_s) < _SHORTEST_PART_S
    return punctuation + (after.span.start_s - before.span.end_s) - abs(left_s - right_s) / whole_s - 4.0 * too_short


def _is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script without spaces between words (CJK, kana, Thai, Lao, Khmer, Burmese)."""
    code = ord(character) if character else 0
    ranges = (
        (0x0E00, 0x0EFF),
        (0x1000, 0x109F),
        (0x1780, 0x17FF),
        (0x2E80, 0x9FFF),
        (0xF900, 0xFAFF),
        (0xFF00, 0xFFEF),
    )
    return any(low <= code <= high for low, high in ranges) or 0x20000 <= code <= 0x3FFFF
