"""When each phone of a text is said: within the stretches where the original spoke, at a natural pace."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.cascade.phrasing import Phrase, islands, phrase
from models.corpus.phones import PAUSE, QUESTION, TimedPhone, merged, phones_of
from models.corpus.spelling import shared, spelled
from models.kokoro.phonemes import spelled_clauses
from schemas.errors import RequestError
from schemas.media import TimeSpan
from schemas.speech import Word

Durations = Callable[[Sequence[str]], np.ndarray]
"""The natural length in seconds of each of a clause's phones, [k]."""

SLOWEST, FASTEST = 0.8, 1.3
"""How much slower and faster than naturally a phrase may be said."""

_LEAST_GAP_S = 0.05
_MARGIN_S = 0.1


@dataclass(frozen=True)
class Timeline:
    """Phones from 0 to the end; `overflow_s`: how much later than asked they end; `speed`: mean, 1 is natural."""

    phones: tuple[TimedPhone, ...]
    overflow_s: float
    speed: float


def natural_duration_s(text: str, language: str, durations: Durations) -> float:
    """How long a text takes, with a short silence before and after it.

    Raises:
        RequestError: Nothing in the text can be said, or the language is not supported.
    """
    clauses = _clauses(text, language)
    return 2 * _MARGIN_S + sum(float(durations(clause).sum()) for clause in clauses)


def timeline(
    text: str, language: str, duration_s: float, pauses: Sequence[TimeSpan], *, durations: Durations
) -> Timeline:
    """Lay a text out over a line of `duration_s` whose original pauses at `pauses`.

    A phrase that does not fit at the fastest pace runs on, delays the next, and at the end the line grows.

    Raises:
        RequestError: As `natural_duration_s`.
    """
    clauses = _clauses(text, language)
    natural_s = [durations(clause) for clause in clauses]
    placed: list[TimedPhone] = []
    free_s, said_s, taken_s = 0.0, 0.0, 0.0
    for part in phrase([float(own.sum()) for own in natural_s], islands(duration_s, pauses)):
        said, own_s = _phrase(part, clauses, natural_s, free_s)
        placed += [TimedPhone(PAUSE, placed[-1].end_s if placed else 0.0, said[0].start_s), *said]
        free_s = said[-1].end_s + _LEAST_GAP_S
        said_s += own_s
        taken_s += said[-1].end_s - said[0].start_s
    end_s = max(duration_s, placed[-1].end_s)
    phones = merged([*placed, TimedPhone(PAUSE, placed[-1].end_s, end_s)])
    return Timeline(phones, max(0.0, end_s - duration_s), said_s / max(taken_s, 1e-6))


def _clauses(text: str, language: str) -> list[list[str]]:
    clauses = [[phone for phone, _ in phones_of(clause)] for clause in spelled_clauses(text, language)]
    said = [clause for clause in clauses if any(phone not in (PAUSE, QUESTION) for phone in clause)]
    if not said:
        raise RequestError(f"the text {text!r} has no word that can be spoken: write words, or leave the line out")
    return said


def _phrase(
    part: Phrase, clauses: Sequence[Sequence[str]], natural_s: Sequence[np.ndarray], free_s: float
) -> tuple[list[TimedPhone], float]:
    """The phones of a phrase over its stretch, and their natural length; its last pause belongs to what follows."""
    phones = [phone for clause in clauses[part.first : part.last] for phone in clause]
    lengths_s = np.concatenate([natural_s[index] for index in range(part.first, part.last)])
    if phones[-1] == PAUSE:
        phones, lengths_s = phones[:-1], lengths_s[:-1]
    start_s = max(part.span.start_s, free_s)
    room_s = max(1e-3, part.span.end_s - start_s)
    speed = min(FASTEST, max(SLOWEST, float(lengths_s.sum()) / room_s))
    edges_s = start_s + np.concatenate([[0.0], np.cumsum(lengths_s / speed)])
    times = zip(phones, edges_s[:-1].tolist(), edges_s[1:].tolist(), strict=True)
    return [TimedPhone(*timed) for timed in times], float(lengths_s.sum())


def phones_of_words(words: Sequence[Word], language: str, duration_s: float) -> tuple[TimedPhone, ...]:
    """Phones of a recording whose words were recognised, from 0 to its end; each word's share its time.

    Raises:
        RequestError: The language is not supported.
    """
    timed: list[TimedPhone] = []
    end_s = 0.0
    for word in words:
        phones = spelled(word.text, language)
        start_s = min(max(end_s, word.span.start_s), duration_s)
        last_s = min(max(start_s, word.span.end_s), duration_s)
        if phones:
            timed += [TimedPhone(PAUSE, end_s, start_s), *shared(phones, start_s, last_s)]
            end_s = last_s
    return merged([*timed, TimedPhone(PAUSE, end_s, duration_s)])
