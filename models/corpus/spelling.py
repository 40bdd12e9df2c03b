"""Phones of words whose times are known: each word's phones share its time."""

from collections.abc import Sequence

from models.corpus.manifest import Entry
from models.corpus.phones import PAUSE, STRESS, VOWELS, TimedPhone, merged, phones_of
from models.kokoro.phonemes import phonemes
from schemas.speech import Word

_VOWEL_WEIGHT, _STRESS_WEIGHT, _LONG_WEIGHT, _STOP_WEIGHT = 1.3, 1.3, 1.25, 0.8
_STOPS = frozenset("bcdkptɡɖʈɟɾ")


def timed_phones(entry: Entry, duration_s: float) -> tuple[TimedPhone, ...]:
    """The clip's phones from 0 to its end: those the corpus gives, else each word's, pauses between; () without both.

    Raises:
        RequestError: The language is not supported.
    """
    if entry.phones:
        return entry.phones
    if not entry.words:
        return ()
    timed: list[TimedPhone] = []
    end_s = 0.0
    for word in entry.words:
        start_s = max(end_s, word.span.start_s)
        timed.append(TimedPhone(PAUSE, end_s, start_s))
        timed += shared(word_phones(word, entry.language), start_s, max(start_s, word.span.end_s))
        end_s = timed[-1].end_s
    return merged([*timed, TimedPhone(PAUSE, end_s, max(end_s, duration_s))])


def word_phones(word: Word, language: str) -> tuple[str, ...]:
    """Spell one word; a single letter is called by its name."""
    return spelled(word.text.upper() if len(word.text) == 1 else word.text, language)


def spelled(text: str, language: str) -> tuple[str, ...]:
    """The phones of a text without its pauses. Raises: RequestError, where the language is not supported."""
    return tuple(phone for phone, _ in phones_of(phonemes(text, language)) if phone not in (PAUSE, "?"))


def shared(phones: Sequence[str], start_s: float, end_s: float) -> list[TimedPhone]:
    """Share a time among phones by what they usually take."""
    weights = [weight(phone) for phone in phones]
    timed: list[TimedPhone] = []
    for phone, own in zip(phones, weights, strict=True):
        own_s = (end_s - start_s) * own / sum(weights)
        first_s = timed[-1].end_s if timed else start_s
        timed.append(TimedPhone(phone, first_s, first_s + own_s))
    return timed


def weight(phone: str) -> float:
    """How long a phone usually is, in those of a plain consonant."""
    usual = 1.0
    if any(letter in VOWELS for letter in phone):
        usual *= _VOWEL_WEIGHT * (_STRESS_WEIGHT if phone.startswith(STRESS) else 1.0)
    if phone.endswith("ː"):
        usual *= _LONG_WEIGHT
    return usual * (_STOP_WEIGHT if phone in _STOPS else 1.0)
