"""Recognise and locate the words of GRID speech. Letters: n samples, t mel frames at 100 Hz."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from models.alignment.checkpoint import load_classifier
from models.alignment.rating import log_probabilities
from models.alignment.viterbi import Decoded, decode
from models.audio_to_mouth.features import FRAME_RATE_HZ, mel_features
from models.grid_words.frames import stacked
from models.grid_words.grammar import WORDS, class_of, slots_of_grammar, with_silences
from schemas.errors import RequestError
from schemas.media import TimeSpan
from schemas.speech import Word

if TYPE_CHECKING:
    from models.alignment.network import FrameClassifier

_SHORTEST_WORD_FRAMES = 3  # the corpus has words of 40 ms


@dataclass(frozen=True)
class GridReading:
    """The six words of a sentence as heard, in order, with their spans and mean probabilities."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def recognise(samples: np.ndarray, sample_rate_hz: int) -> GridReading:
    """Read mono speech [n] as the sentence of the GRID grammar that fits it best; there is always one.

    Raises:
        RequestError: the sound is shorter than six words can be (0.18 s).
        WeightsError: the packaged weights are missing or damaged.
    """
    return read(load_recogniser(), samples, sample_rate_hz)


def locate(samples: np.ndarray, sample_rate_hz: int, words: Sequence[str]) -> tuple[TimeSpan, ...]:
    """Find when these words of GRID, any number of them in this order, are said in mono speech [n].

    Raises:
        RequestError: a word is none of GRID's, there is none, or the sound is too short for them.
        WeightsError: the packaged weights are missing or damaged.
    """
    return find(load_recogniser(), samples, sample_rate_hz, words)


def word_accuracy(heard: Sequence[str], said: Sequence[str]) -> float:
    """Share of the slots whose word is right, 0 to 1: the grammar leaves no room for insertions.

    Raises:
        RequestError: the two do not hold equally many words, or none.
    """
    if len(heard) != len(said) or not said:
        raise RequestError(f"{len(heard)} words heard against {len(said)} said: give equally many, at least one")
    return float(np.mean([a == b for a, b in zip(heard, said, strict=True)]))


def read(network: "FrameClassifier", samples: np.ndarray, sample_rate_hz: int) -> GridReading:
    """`recognise` with a network of one's own."""
    log_probs = _rate(network, samples, sample_rate_hz)
    path = _decode(log_probs, slots_of_grammar())
    return GridReading(tuple(_words(path, log_probs)))


def find(
    network: "FrameClassifier", samples: np.ndarray, sample_rate_hz: int, words: Sequence[str]
) -> tuple[TimeSpan, ...]:
    """`locate` with a network of one's own."""
    if not words:
        raise RequestError("no words were given to be located: give at least one")
    log_probs = _rate(network, samples, sample_rate_hz)
    path = _decode(log_probs, with_silences([(class_of(word),) for word in words]))
    return tuple(word.span for word in _words(path, log_probs))


@lru_cache(maxsize=1)
def load_recogniser() -> "FrameClassifier":
    """Read the packaged weights once per process. Raises: WeightsError."""
    return load_classifier(resources.files("models.grid_words"))[0]


def _rate(network: "FrameClassifier", samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Log-probabilities of silence and the words [t, 52]."""
    mel = mel_features(samples, sample_rate_hz)
    return log_probabilities(network, stacked(mel))[: len(mel)]


def _decode(log_probs: np.ndarray, slots: Sequence[tuple[int, ...]]) -> Decoded:
    return decode(log_probs, slots, range(0, len(slots), 2), _SHORTEST_WORD_FRAMES)


def _words(path: Decoded, log_probs: np.ndarray) -> list[Word]:
    words = []
    for place in range(1, len(path.classes), 2):
        start, end, chosen = path.boundaries[place], path.boundaries[place + 1], path.classes[place]
        assert chosen is not None
        span = TimeSpan(start_s=float(start) / FRAME_RATE_HZ, end_s=float(end) / FRAME_RATE_HZ)
        probability = float(np.exp(log_probs[start:end, chosen].mean()))
        words.append(Word(text=WORDS[chosen - 1], span=span, probability=probability))
    return words
