"""Recognised words made fit for use: whole, in order, inside the audio, without endless repetition."""

import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from schemas.media import TimeSpan
from schemas.speech import Word

_SHORTEST_WORD_S = 0.02
_LOOP_COMPRESSION = 2.4  # of Whisper's own check for a decoding loop
_LONGEST_PHRASE = 12
_REPEATS_KEPT = 2


class RawWord(NamedTuple):
    """A word as the recogniser gives it: text with its leading space, times in seconds."""

    text: str
    start_s: float
    end_s: float
    probability: float


def clean_words(segments: Iterable[Sequence[RawWord]], duration_s: float) -> tuple[Word, ...]:
    """Make words of the recogniser's segments.

    Decoding loops are cut to two repetitions, pieces that continue a word are joined to it ("100" + "%"),
    and spans become ordered, at least 20 ms long, and part of [0, duration_s).
    """
    words = [word for segment in segments for word in _joined(_without_loop(list(segment)))]
    cleaned: list[Word] = []
    reached_s = 0.0
    for word in words:
        text = word.text.strip()
        start_s = max(word.start_s, reached_s, 0.0)
        end_s = min(max(word.end_s, start_s + _SHORTEST_WORD_S), duration_s)
        if not text or end_s - start_s < _SHORTEST_WORD_S / 2:
            continue
        cleaned.append(Word(text=text, span=TimeSpan(start_s=start_s, end_s=end_s), probability=word.probability))
        reached_s = end_s
    return tuple(cleaned)


def compression_ratio(text: str) -> float:
    """How many times smaller the text gets when compressed; above 2.4 it repeats itself."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def _without_loop(words: list[RawWord]) -> list[RawWord]:
    if compression_ratio("".join(word.text for word in words)) <= _LOOP_COMPRESSION:
        return words
    kept: list[RawWord] = []
    for word in words:
        kept.append(word)
        for length in range(1, _LONGEST_PHRASE + 1):
            if _ends_in_repeats(kept, length):
                del kept[-length:]
                break
    return kept


def _ends_in_repeats(words: list[RawWord], length: int) -> bool:
    """Whether the last `length` words are one repetition more than may be kept."""
    needed = length * (_REPEATS_KEPT + 1)
    if len(words) < needed:
        return False
    tail = [word.text.strip().lower() for word in words[-needed:]]
    return all(tail[index] == tail[index % length] for index in range(needed))


def _joined(words: list[RawWord]) -> list[RawWord]:
    """Join a piece without a leading space to the word before, where this language uses spaces."""
    if not any(word.text.startswith(" ") for word in words):
        return words
    joined: list[RawWord] = []
    for word in words:
        if joined and not word.text.startswith(" "):
            before = joined[-1]
            text = before.text + word.text
            joined[-1] = RawWord(text, before.start_s, word.end_s, min(before.probability, word.probability))
        else:
            joined.append(word)
    return joined
