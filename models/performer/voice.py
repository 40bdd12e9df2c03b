"""Whose voice speaks: packaged reference recordings, and the cleanest stretch of an actor's own speech.

Letters: n samples at 24 kHz.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field, TypeAdapter, ValidationError

from media.audio_io import read_audio, resample, to_mono
from models.cascade.cast import OriginalVoice, assign, unlikeness
from models.corpus.phones import TimedPhone, phone_vocabulary
from models.jamflow.config import SAMPLE_RATE_HZ
from models.jamflow.prompt import raise_loudness
from models.speaker.encoder import embed
from models.speaker.pitch import median_f0_hz
from schemas.errors import MediaError, RequestError, WeightsError
from schemas.media import TimeSpan
from schemas.speech import Word
from schemas.value import Value

VOICES, LIST = "voices", "voices.json"
"""The folder of packaged voices inside the engine's, and the file in it that names them."""
SHORTEST_S, LONGEST_S = 3.0, 6.0
"""Of a reference cut from an actor's speech."""
LEAST_S = 1.0
_MARGIN_S = 0.05  # before and after: recognised words begin late and end early
_FOREIGN_LANGUAGE_COST = 0.3  # cosines of voices differ by about 0.2
_HEARING_RATE_HZ = 16_000
_LOUDNESS_SHARE = 0.5
_CLEAN_DB = 30.0


class _Listed(Value):
    """One entry of voices.json."""

    name: str
    file: str
    language: str
    text: str
    phones: Annotated[tuple[tuple[str, float, float], ...], Field(min_length=1)]


@dataclass(frozen=True)
class PackagedVoice:
    """A recording shipped with the model, as it is and as a speaker encoder hears it.

    Attributes:
        samples: [n], raised to the level that the model knows.
        embedding: [256].
    """

    name: str
    language: str
    text: str
    samples: np.ndarray
    phones: tuple[TimedPhone, ...]
    embedding: np.ndarray
    median_f0_hz: float | None


def packaged_voices(folder: Path, encoder: Path) -> tuple[PackagedVoice, ...]:
    """Read the voices of a model's folder: `voices.json` and the recordings it names.

    Raises:
        WeightsError: There are none, or one of them cannot be used.
    """
    return tuple(_voice(folder, listed, encoder) for listed in _listed(folder))


def voice_names(folder: Path) -> tuple[str, ...]:
    """The names of the packaged voices, without reading their recordings. Raises: WeightsError, as above."""
    return tuple(listed.name for listed in _listed(folder))


def _listed(folder: Path) -> tuple[_Listed, ...]:
    path = folder / LIST
    try:
        listed = TypeAdapter(tuple[_Listed, ...]).validate_python(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:  # ValidationError is a ValueError
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise WeightsError(f"{path} does not list the packaged voices ({first}): copy the folder again") from error
    if not listed or len({own.name for own in listed}) != len(listed):
        raise WeightsError(f"{path} lists no voices, or two of one name: copy the folder again")
    return listed


def _voice(folder: Path, listed: _Listed, encoder: Path) -> PackagedVoice:
    known = frozenset(phone_vocabulary().entries)
    if unknown := sorted({phone for phone, _, _ in listed.phones} - known):
        raise WeightsError(f"{folder / LIST}: voice {listed.name} has unknown phones {unknown}: copy the folder again")
    try:
        samples = levelled(*read_audio(folder / listed.file))
    except MediaError as error:
        raise WeightsError(f"voice {listed.name} cannot be used: {error}") from error
    heard = resample(samples, SAMPLE_RATE_HZ, _HEARING_RATE_HZ)
    phones = tuple(TimedPhone(*timed) for timed in listed.phones)
    return PackagedVoice(
        listed.name, listed.language, listed.text, samples, phones, embed(heard, encoder=encoder), median_f0_hz(heard)
    )


def levelled(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Bring a recording [n, channels] to the model's rate and level. Raises: MediaError, where it is silent."""
    wave = torch.from_numpy(resample(to_mono(samples), sample_rate_hz, SAMPLE_RATE_HZ))
    return np.asarray(raise_loudness(wave)[0].numpy(), np.float32)


def cast_packaged(
    originals: Mapping[str, OriginalVoice], voices: Sequence[PackagedVoice], language: str
) -> dict[str, PackagedVoice]:
    """Give each speaker the nearest voice by d-vector and pitch, different speakers different voices where they last.

    A voice recorded in another language than the dub's stands back.
    """
    if not originals:
        return {}
    costs = np.array([[_distance(own, voice, language) for voice in voices] for own in originals.values()])
    return {speaker: voices[column] for speaker, column in zip(originals, assign(costs), strict=True)}


def _distance(original: OriginalVoice, voice: PackagedVoice, language: str) -> float:
    is_foreign = voice.language.split("-")[0].lower() != language.split("-")[0].lower()
    return unlikeness(original, voice.embedding, voice.median_f0_hz) + _FOREIGN_LANGUAGE_COST * is_foreign


def named(voices: Sequence[PackagedVoice], name: str) -> PackagedVoice:
    """Find a packaged voice. Raises: RequestError, which lists those that there are."""
    for voice in voices:
        if voice.name == name:
            return voice
    raise RequestError(f"there is no packaged voice {name!r}: choose one of {', '.join(own.name for own in voices)}")


def cleanest(
    utterances: Sequence[Sequence[Word]], dialogue: np.ndarray, background: np.ndarray, sample_rate_hz: int
) -> tuple[TimeSpan, tuple[Word, ...]] | None:
    """Find 3 to 6 s of one speaker that are best suited as a reference: a span and the words in it.

    Judged by how sure the recogniser is of the words, how far the voice stands above music and effects, and how much
    of the time is speech. A speaker who never speaks for 3 s gives the longest stretch; None below one second.

    Args:
        utterances: The speaker's own words, line by line; no reference runs over the end of one.
        dialogue, background: Mono stems [k] of the source.
        sample_rate_hz: Of the stems.
    """
    runs = [run for words in utterances for start in range(len(words)) for run in _runs(words, start)]
    if not runs:
        return None
    longest_s = max(_duration_s(run) for run in runs)
    fitting = [run for run in runs if _duration_s(run) >= min(SHORTEST_S, longest_s)]
    best = max(fitting, key=lambda run: _cleanness(run, dialogue, background, sample_rate_hz))
    if _duration_s(best) < LEAST_S:
        return None
    start_s, end_s = best[0].span.start_s - _MARGIN_S, best[-1].span.end_s + _MARGIN_S
    return TimeSpan(start_s=max(0.0, start_s), end_s=min(end_s, len(dialogue) / sample_rate_hz)), tuple(best)


def _runs(words: Sequence[Word], start: int) -> list[Sequence[Word]]:
    """The runs of words from one of them on that are at most `LONGEST_S` long."""
    runs: list[Sequence[Word]] = []
    for end in range(start + 1, len(words) + 1):
        run = words[start:end]
        if _duration_s(run) > LONGEST_S:
            break
        runs.append(run)
    return runs


def _duration_s(run: Sequence[Word]) -> float:
    return run[-1].span.end_s - run[0].span.start_s


def _cleanness(run: Sequence[Word], dialogue: np.ndarray, background: np.ndarray, sample_rate_hz: int) -> float:
    first, last = (round(time_s * sample_rate_hz) for time_s in (run[0].span.start_s, run[-1].span.end_s))
    voice, noise = (float(np.mean(np.square(stem[first:last]))) + 1e-10 for stem in (dialogue, background))
    above_db = float(np.clip(10 * np.log10(voice / noise), 0.0, _CLEAN_DB))
    silent_s = sum(max(0.0, after.span.start_s - before.span.end_s) for before, after in pairwise(run))
    sureness = float(np.mean([word.probability for word in run]))
    return sureness + _LOUDNESS_SHARE * above_db / _CLEAN_DB - silent_s / max(_duration_s(run), 1e-6)


def shifted(words: Sequence[Word], by_s: float, duration_s: float) -> tuple[Word, ...]:
    """Words on the clock of a recording that starts `by_s` later and lasts `duration_s`."""
    moved = []
    for word in words:
        start_s = min(max(0.0, word.span.start_s - by_s), duration_s - 1e-3)
        end_s = min(max(start_s + 1e-3, word.span.end_s - by_s), duration_s)
        moved.append(word.model_copy(update={"span": TimeSpan(start_s=start_s, end_s=end_s)}))
    return tuple(moved)


def placed_words(text: str, heard: Sequence[Word]) -> tuple[Word, ...]:
    """Give the words of a transcript the times of the words that were heard, share by share of their letters.

    Equal words keep their times exactly; where the recogniser heard other words, the time line is the same.

    Raises:
        RequestError: The text has no words, or nothing was heard.
    """
    written = text.split()
    if not written or not heard:
        raise RequestError(f"the reference's text {text!r} and its sound do not go together: nothing to place")
    at = _shares([word.text for word in heard])
    starts_s, ends_s = [word.span.start_s for word in heard], [word.span.end_s for word in heard]
    edges = _shares(written)
    placed = []
    for word, first, last in zip(written, edges[:-1], edges[1:], strict=True):
        begun = min(int(np.searchsorted(at, first + 1e-9, side="right")) - 1, len(heard) - 1)
        ended = min(max(int(np.searchsorted(at, last - 1e-9, side="left")) - 1, begun), len(heard) - 1)
        start_s = float(np.interp(first, at[begun : begun + 2], [starts_s[begun], ends_s[begun]]))
        end_s = float(np.interp(last, at[ended : ended + 2], [starts_s[ended], ends_s[ended]]))
        placed.append(Word(text=word, span=TimeSpan(start_s=start_s, end_s=max(end_s, start_s + 1e-3))))
    return tuple(placed)


def _shares(words: Sequence[str]) -> np.ndarray:
    """Edges of words on the line of all their letters, from 0 to 1: [k + 1]."""
    lengths = np.array([len(word) for word in words], float)
    return np.concatenate([[0.0], np.cumsum(lengths) / lengths.sum()])
