"""Speech from text: spelled, cut to what the model takes, spoken, and trimmed to the speech itself."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.kokoro.network import LONGEST_TOKENS, SAMPLE_RATE_HZ, Blend, Kokoro, load_kokoro
from models.kokoro.phonemes import phonemes
from models.kokoro.timing import PIECE_GAP_S
from schemas.errors import RequestError

__all__ = ["SAMPLE_RATE_HZ", "pieces", "speak_pieces", "spell", "synthesise", "trim"]

_BREAKS = (re.compile(r"(?<=[.!?…]) "), re.compile(r"(?<=[,;:—]) "), re.compile(r" "))
_BLOCK_SAMPLES = 120  # 5 ms
_SPEECH_DB = -40.0  # of the loudest 5 ms
_LEAD_BLOCKS = 1


def synthesise(text: str, language: str, blend: Blend, *, speed: float, weights: Path, threads: int = 2) -> np.ndarray:
    """Speak a text: mono float32 [n] at 24 kHz, from the first speech to the last; equal calls give equal samples.

    Args:
        language: A BCP-47 tag.
        blend: (packaged voice, weight) pairs; weights sum to 1.
        speed: 1 is natural, above is faster.
        weights: The folder of Kokoro-82M (`models.weights.resolve.kokoro`).

    Raises:
        RequestError: nothing in the text can be spoken, or the voice or language is unknown.
        WeightsError: the folder holds no Kokoro model.
    """
    model = load_kokoro(weights, threads)
    return speak_pieces(model, pieces(model, spell(text, language)), blend, speed)


def speak_pieces(model: Kokoro, spelled: Sequence[str], blend: Blend, speed: float) -> np.ndarray:
    """Speak phonemes given in pieces that the model takes at once, a short silence between them, trimmed."""
    gap = np.zeros(round(PIECE_GAP_S * SAMPLE_RATE_HZ / speed), np.float32)
    spoken: list[np.ndarray] = []
    for piece in spelled:
        spoken += [gap, trim(model.speak(piece, blend, speed))]
    return np.concatenate(spoken[1:])


def spell(text: str, language: str) -> str:
    """Return the phonemes of a text. Raises: RequestError, where nothing in it can be spoken."""
    spelled = phonemes(text, language)
    if not spelled:
        raise RequestError(f"the text {text!r} has no word that can be spoken: write words, or leave the line out")
    return spelled


def pieces(model: Kokoro, spelled: str) -> list[str]:
    """Cut phonemes to lengths that the model takes: after sentences, else after commas, else between words."""
    for pattern in _BREAKS:
        if len(model.tokens(spelled)) <= LONGEST_TOKENS:
            return [spelled]
        parts = pattern.split(spelled)
        if len(parts) > 1:
            middle = _middle(parts)
            return pieces(model, " ".join(parts[:middle])) + pieces(model, " ".join(parts[middle:]))
    half = len(spelled) // 2
    return pieces(model, spelled[:half]) + pieces(model, spelled[half:]) if half else []


def _middle(parts: list[str]) -> int:
    """Return the place that halves the text best, never an end."""
    ends = np.cumsum([len(part) for part in parts])
    return int(np.argmin(np.abs(ends[:-1] - ends[-1] / 2))) + 1


def trim(samples: np.ndarray) -> np.ndarray:
    """Cut to speech: it starts within 10 ms of sample 0 and ends as near; silence as a whole is returned empty."""
    blocks = len(samples) // _BLOCK_SAMPLES
    power = (samples[: blocks * _BLOCK_SAMPLES].reshape(blocks, -1) ** 2).mean(axis=1)
    if blocks == 0 or power.max() == 0:
        return samples[:0]
    loud = np.flatnonzero(power > power.max() * 10 ** (_SPEECH_DB / 10))
    first = max(0, int(loud[0]) - _LEAD_BLOCKS)
    last = min(blocks, int(loud[-1]) + 1 + _LEAD_BLOCKS)
    return samples[first * _BLOCK_SAMPLES : last * _BLOCK_SAMPLES]
