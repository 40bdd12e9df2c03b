"""Phones: what the tiny model reads in place of letters, each at the time where it is said.

A phone is one of Kokoro's phoneme letters with its stress and length, or a pause. Letters: k phones.
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.jamflow.tokens import Vocabulary

PAUSE, QUESTION = "_", "?"
STRESS = "ˈ"
_WEAKER_STRESS = "ˌ"
_LENGTH = "ː"
_BREAKS = frozenset(".,;:!—…")
VOWELS = "AIOQWYaeiouyæøœɐɑɒɔəɚɛɜɤɨɪɯɵʉʊʌᵊᵻ"
_CONSONANTS = "TSbcdfhjklmnpqrstvwxzçðŋɕɖɟɡɣɥɬɭɰɱɲɳɴɸɹɻɽɾʀʁʂʃʈʋʎʐʑʒʔʝʣʤʥʦʧʨβθχ"


@dataclass(frozen=True)
class TimedPhone:
    """A phone and when it is said, in seconds."""

    phone: str
    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


@functools.cache
def phone_vocabulary() -> Vocabulary:
    """Every phone by number: the same for all languages, since they share IPA."""
    plain = (*VOWELS, *_CONSONANTS)
    long = tuple(vowel + _LENGTH for vowel in VOWELS)
    stressed = tuple(STRESS + vowel for vowel in (*VOWELS, *long))
    return Vocabulary((" ", PAUSE, QUESTION, *plain, *long, *stressed))


def phones_of(spelled: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Join letters to phones: (phone, the places of the letters it is made of).

    A stress mark belongs to the vowel that follows it, a length mark to the vowel before, a space to nobody (its
    place is given to the phone before it), punctuation is a pause. Letters the vocabulary lacks are left out,
    their places given to the phone before.
    """
    known = frozenset(phone_vocabulary().entries)
    found: list[tuple[str, list[int]]] = []
    waiting: list[int] = []  # places of marks that belong to what comes
    stressed = False
    for place, letter in enumerate(spelled):
        if letter in (STRESS, _WEAKER_STRESS):
            waiting.append(place)
            stressed = stressed or letter == STRESS
        elif letter == _LENGTH and found and found[-1][0] + _LENGTH in known:
            phone, places = found[-1]
            found[-1] = (phone + _LENGTH, [*places, place])
        elif letter == QUESTION or letter in _BREAKS:
            found.append((QUESTION if letter == QUESTION else PAUSE, [*waiting, place]))
            waiting, stressed = [], False
        elif letter != " " and letter in known:
            is_vowel = letter in VOWELS
            found.append((STRESS + letter if stressed and is_vowel else letter, [*waiting, place]))
            waiting, stressed = [], stressed and not is_vowel
        elif found:
            found[-1][1].append(place)
        else:
            waiting.append(place)
    return found


def merged(phones: Iterable[TimedPhone]) -> tuple[TimedPhone, ...]:
    """Join pauses that follow each other, and leave out what has no length."""
    kept: list[TimedPhone] = []
    for timed in phones:
        if timed.duration_s <= 0:
            continue
        if kept and kept[-1].phone == timed.phone == PAUSE:
            kept[-1] = TimedPhone(PAUSE, kept[-1].start_s, timed.end_s)
        else:
            kept.append(timed)
    return tuple(kept)
