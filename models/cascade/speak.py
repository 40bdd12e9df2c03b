"""Speak one line: its words in the speaker's voice, over the stretches where the original spoke."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from media.tools import Tools
from models.audio_to_mouth.predict import predict_mouth
from models.cascade.fit import Fitted, fit
from models.cascade.phrasing import Phrase, islands, phrase
from models.kokoro.network import SAMPLE_RATE_HZ, Kokoro, load_kokoro
from models.kokoro.phonemes import spelled_clauses
from models.kokoro.synthesis import pieces
from models.kokoro.timing import timing
from models.motion import Motion
from models.weights.resolve import kokoro
from schemas.dub import Utterance
from schemas.errors import RequestError

PEAK = 0.99
_FADE_S = 0.005
_LEAST_GAP_S = 0.08  # between two phrases, where the first ran late
_SHORTEST_S = 0.2


@dataclass(frozen=True)
class SpeakResources:
    """What the cascade needs around it: where weights are, how many threads, ffmpeg."""

    cache_dir: Path
    models_dir: Path | None
    threads: int
    tools: Tools


@dataclass(frozen=True)
class Performance:
    """One line as spoken; it starts with the line and is at least as long.

    Attributes:
        samples: Mono float32 [n] at 24 kHz.
        motion: The mouth over the same time, 25 fps; None where it was not asked for.
        speed: The model's own speed, mean over the speech; 1 is natural.
        stretch: The strongest compression afterwards, 1 to 1.08.
        overflow_s: Speech beyond the original line's end.
        unfit_s: Speech beyond that end plus the room after it.
    """

    samples: np.ndarray
    motion: Motion | None
    speed: float
    stretch: float
    overflow_s: float
    unfit_s: float


def speak(utterance: Utterance, *, resources: SpeakResources, with_motion: bool) -> Performance:
    """Speak a line within its length where that is possible; nothing is ever cut.

    Raises:
        RequestError: the text has no word that can be spoken, or the language or voice is unknown.
        WeightsError: Kokoro is missing or altered.
    """
    model = load_kokoro(kokoro(resources.cache_dir, resources.models_dir).path, resources.threads)
    placed = _place(model, utterance, resources.tools)
    end_s = max(start_s + said.duration_s for start_s, said in placed)
    samples = _laid_out(placed, max(utterance.duration_s, end_s))
    spoken_s = [said.duration_s for _, said in placed]
    return Performance(
        samples=samples,
        motion=predict_mouth(samples, SAMPLE_RATE_HZ) if with_motion else None,
        speed=round(float(np.average([said.speed for _, said in placed], weights=spoken_s)), 4),
        stretch=round(max(said.stretch for _, said in placed), 4),
        overflow_s=round(max(0.0, end_s - utterance.duration_s), 4),
        unfit_s=round(max(0.0, end_s - utterance.duration_s - utterance.room_s), 4),
    )


def _place(model: Kokoro, utterance: Utterance, tools: Tools) -> list[tuple[float, Fitted]]:
    """Say each phrase over its stretch: (start in seconds, speech). One that runs late delays the next."""
    clauses = spelled_clauses(utterance.text, utterance.language)
    if not clauses:
        raise RequestError(
            f"the line {utterance.text!r} has no word that can be spoken: write words, or leave the line out"
        )
    placed: list[tuple[float, Fitted]] = []
    free_s = 0.0
    for part in _phrases(model, clauses, utterance):
        start_s = max(part.span.start_s, free_s)
        wanted_s = max(_SHORTEST_S, part.span.end_s - start_s)
        said_pieces = pieces(model, " ".join(clauses[part.first : part.last]))
        said = fit(model, said_pieces, utterance.voice.blend, wanted_s, tools)
        placed.append((start_s, said))
        free_s = start_s + said.duration_s + _LEAST_GAP_S
    return placed


def _phrases(model: Kokoro, clauses: Sequence[str], utterance: Utterance) -> tuple[Phrase, ...]:
    natural_s = [timing(model, pieces(model, clause), utterance.voice.blend).duration_s(1.0) for clause in clauses]
    return phrase(natural_s, islands(utterance.duration_s, utterance.pauses))


def _laid_out(placed: Sequence[tuple[float, Fitted]], duration_s: float) -> np.ndarray:
    """Put the phrases into silence, faded, and keep the peak below full scale."""
    starts = [round(start_s * SAMPLE_RATE_HZ) for start_s, _ in placed]
    ends = [start + len(said.samples) for start, (_, said) in zip(starts, placed, strict=True)]
    line = np.zeros(max(round(duration_s * SAMPLE_RATE_HZ), *ends), np.float32)
    for start, end, (_, said) in zip(starts, ends, placed, strict=True):
        line[start:end] += faded(said.samples)
    return line * np.float32(min(1.0, PEAK / max(float(np.abs(line).max()), 1e-9)))


def faded(samples: np.ndarray) -> np.ndarray:
    """Fade the first and the last 5 ms."""
    length = min(round(_FADE_S * SAMPLE_RATE_HZ), len(samples) // 2)
    gain = np.ones(len(samples), np.float32)
    gain[:length] = np.linspace(0.0, 1.0, length, endpoint=False)
    gain[len(samples) - length :] = np.linspace(1.0, 0.0, length)
    return samples * gain
