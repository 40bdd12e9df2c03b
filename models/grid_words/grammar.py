"""The sentences of the GRID corpus: six slots, 51 words.

Source: Cooke, Barker, Cunningham and Shao, "An audio-visual corpus for speech perception and automatic speech
recognition", JASA 120(5), 2006.
"""

from collections.abc import Sequence

from schemas.errors import RequestError

SLOTS: tuple[tuple[str, ...], ...] = (
    ("bin", "lay", "place", "set"),
    ("blue", "green", "red", "white"),
    ("at", "by", "in", "with"),
    tuple("abcdefghijklmnopqrstuvxyz"),
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    ("again", "now", "please", "soon"),
)
"""Command, colour, preposition, letter (no w), digit, adverb."""

SILENCE = 0
WORDS: tuple[str, ...] = tuple(word for slot in SLOTS for word in slot)
CLASSES = 1 + len(WORDS)


def class_of(word: str) -> int:
    """The class of a word, 1 to 51; silence is 0. Raises: RequestError where it is no word of GRID."""
    if word not in WORDS:
        raise RequestError(f'"{word}" is none of the 51 words of GRID: give lower-case words of its grammar')
    return 1 + WORDS.index(word)


def slots_of_grammar() -> list[tuple[int, ...]]:
    """The classes of each slot of a sentence, silences between them: 13 slots, words at the odd places."""
    return with_silences([tuple(class_of(word) for word in slot) for slot in SLOTS])


def with_silences(slots: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Put a silence before, between and behind the slots: they come to lie at the odd places."""
    return [(SILENCE,)] + [piece for slot in slots for piece in (slot, (SILENCE,))]
