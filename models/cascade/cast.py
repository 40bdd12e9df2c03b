"""Who gets which voice: the nearest by d-vector and pitch, different speakers different voices where they last."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from models.cascade.bank import BankVoice, voice_bank
from models.cascade.speak import SpeakResources
from models.kokoro.languages import intelligibility_cost
from models.speaker.encoder import cosine
from models.weights.resolve import speaker_encoder
from schemas.dub import Voice

_PITCH_WEIGHT = 0.5  # per octave; cosines of voices differ by about 0.2
_FAR_OCTAVES = 0.3  # beyond it the voice is taken for one of the other sex or a child's
_FAR_WEIGHT = 3.0


@dataclass(frozen=True)
class OriginalVoice:
    """What is known of a speaker: a d-vector [256] and the median pitch, each where speech sufficed for it."""

    embedding: np.ndarray | None
    median_f0_hz: float | None


def cast_voices(
    originals: Mapping[str, OriginalVoice], *, resources: SpeakResources, language: str
) -> tuple[Voice, ...]:
    """Give each speaker one voice for the whole video; equal input gives equal voices.

    Raises:
        WeightsError: the speaker encoder is missing, or is not the one the bank was made with.
        RequestError: the language is not supported.
    """
    bank = voice_bank(speaker_encoder(resources.models_dir).ref.sha256)
    if not originals:
        return ()
    speakers = sorted(originals)
    costs = np.array([[distance(originals[speaker], voice, language) for voice in bank] for speaker in speakers])
    chosen = dict(zip(speakers, assign(costs), strict=True))
    return tuple(_voice(speaker, originals[speaker], bank[chosen[speaker]]) for speaker in originals)


def distance(original: OriginalVoice, voice: BankVoice, language: str) -> float:
    """How unlike the original a packaged voice is, and how badly it is understood in the language."""
    return intelligibility_cost(voice.blend, language) + unlikeness(original, voice.embedding, voice.median_f0_hz)


def unlikeness(original: OriginalVoice, embedding: np.ndarray, median_f0_hz: float | None) -> float:
    """How unlike the original a voice is by d-vector and pitch: what is not known counts nothing."""
    unlike = 0.0
    if original.embedding is not None:
        unlike += 1.0 - cosine(original.embedding, embedding)
    if original.median_f0_hz is not None and median_f0_hz is not None:
        octaves = abs(float(np.log2(original.median_f0_hz / median_f0_hz)))
        unlike += _PITCH_WEIGHT * octaves + _FAR_WEIGHT * max(0.0, octaves - _FAR_OCTAVES)
    return unlike


def assign(costs: np.ndarray) -> list[int]:
    """Pair speakers (rows) with voices at the least total cost; where voices run out, all are used again."""
    rounds = -(-len(costs) // costs.shape[1])
    again = 1e3 * np.repeat(np.arange(rounds), costs.shape[1])
    _, columns = linear_sum_assignment(np.tile(costs, rounds) + again)
    return [int(column) % costs.shape[1] for column in columns]


def _voice(speaker: str, original: OriginalVoice, voice: BankVoice) -> Voice:
    similarity = 0.0 if original.embedding is None else cosine(original.embedding, voice.embedding)
    return Voice(
        speaker=speaker,
        blend=voice.blend,
        similarity=round(similarity, 4),
        median_f0_hz=original.median_f0_hz,
    )
