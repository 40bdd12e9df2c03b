"""Speech recognition with word times by Whisper (faster-whisper, int8). Letters: n samples.

The recogniser is the one inside whisperx, called directly: word times come from Whisper's own
cross-attention, because whisperx's aligner needs a wav2vec2 checkpoint for each language.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.asr.words import RawWord, clean_words
from schemas.errors import RequestError, WeightsError
from schemas.progress import Advance
from schemas.speech import Word

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment

SAMPLE_RATE_HZ = 16_000
_QUIETEST = 1e-4
_UNDETERMINED = "und"
_ADDED_AFTER_BASE = frozenset({"yue"})  # Cantonese came with large-v3


@dataclass(frozen=True)
class Recognition:
    """What was heard; without any speech `words` is empty and an undetected language is "und"."""

    language: str
    language_probability: float
    words: tuple[Word, ...]


def transcribe(
    samples_16k: np.ndarray,
    *,
    weights: Path,
    language: str | None,
    threads: int = 2,
    on_progress: Advance | None = None,
) -> Recognition:
    """Recognise speech [n] at 16 kHz; word times are seconds from the first sample.

    Args:
        samples_16k: Mono audio.
        weights: Directory of a CTranslate2 Whisper.
        language: BCP-47 tag of what is spoken; None: detected.
        threads: Of the model.
        on_progress: Called with (seconds done, seconds in all).

    Raises:
        RequestError: Whisper does not know the language.
        WeightsError: The directory does not hold a Whisper model.
    """
    code = None if language is None else source_language_code(language)
    duration_s = len(samples_16k) / SAMPLE_RATE_HZ
    if len(samples_16k) == 0 or float(np.abs(samples_16k).max()) < _QUIETEST:
        return Recognition(code or _UNDETERMINED, 0.0, ())
    # Temperature 0 alone: the fallback to higher ones takes minutes on odd starts and invents text.
    # No carry-over of text: one repetition would otherwise go on to the end of the file.
    segments, info = _model(weights, threads).transcribe(
        np.ascontiguousarray(samples_16k, dtype=np.float32),
        language=code,
        beam_size=5,
        temperature=0.0,
        condition_on_previous_text=False,
        word_timestamps=True,
        vad_filter=True,
    )
    if info.duration_after_vad <= 0:
        return Recognition(code or _UNDETERMINED, 0.0, ())
    heard = _raw_words(segments, duration_s, on_progress)
    return Recognition(info.language, float(info.language_probability), clean_words(heard, duration_s))


def supported_source_languages() -> frozenset[str]:
    """The primary language subtags that the packaged Whisper understands."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    return frozenset(_LANGUAGE_CODES) - _ADDED_AFTER_BASE


def source_language_code(tag: str) -> str:
    """Reduce a BCP-47 tag to the code that Whisper uses: pt-BR is pt.

    Raises:
        RequestError: Whisper does not know the language.
    """
    code = tag.split("-")[0].lower()
    code = {"nb": "no", "iw": "he", "in": "id", "fil": "tl", "jv": "jw", "cmn": "zh"}.get(code, code)
    if code not in supported_source_languages():
        raise RequestError(f"the source language {tag!r} is not among the 99 that Whisper understands: check --from")
    return code


def _raw_words(
    segments: "Iterable[Segment]", duration_s: float, on_progress: Advance | None
) -> list[tuple[RawWord, ...]]:
    heard = []
    for segment in segments:
        heard.append(
            tuple(
                RawWord(word.word, float(word.start), float(word.end), float(word.probability))
                for word in segment.words or ()
            )
        )
        if on_progress is not None:
            on_progress(min(round(segment.end), round(duration_s)), max(1, round(duration_s)))
    if on_progress is not None:
        on_progress(max(1, round(duration_s)), max(1, round(duration_s)))
    return heard


@lru_cache(maxsize=1)
def _model(weights: Path, threads: int) -> "WhisperModel":
    from faster_whisper import WhisperModel

    try:
        return WhisperModel(str(weights), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)
    except (RuntimeError, ValueError, OSError) as error:
        raise WeightsError(f"{weights} does not hold a CTranslate2 Whisper model: {error}") from error
