"""Measures of the delivered sound: length, words, timing, voices."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from media.activity import residual_dialogue, speech_onset_s
from media.audio_io import extract_audio, read_audio, resample, to_mono
from media.mux import decoded_samples
from media.probe import probe
from models.asr.whisper import supported_source_languages, transcribe
from models.speaker.encoder import cosine, embed
from models.weights.resolve import speaker_encoder, whisper_base
from schemas.media import TimeSpan
from schemas.speech import Word
from schemas.stages import DubMix, SpokenLine, Stems
from tasks.transcribe import SPEECH_RATE_HZ
from tasks.workplace import Workplace

ONSET_SEARCH_S = (-0.4, 0.8)
"""Where the onset of a line is looked for, around the time it should start."""


@dataclass(frozen=True)
class Heard:
    """The delivered dub as a listener gets it: [n, channels], and the length a decoder gives."""

    samples: np.ndarray
    sample_rate_hz: int
    decoded_samples: int


def decode_dub(place: Workplace, movie: Path) -> Heard:
    """Decode the dub track of a finished file, which is its first sound stream."""
    with place.scratch() as folder:
        wav = folder / "dub.wav"
        extract_audio(movie, probe(movie, place.tools).audio[0], wav, place.tools)
        samples, sample_rate_hz = read_audio(wav)
    return Heard(samples, sample_rate_hz, decoded_samples(movie, 0, place.tools))


def recognise_dub(place: Workplace, heard: Heard, language: str) -> tuple[Word, ...] | None:
    """Recognise the dub's words; None where the recogniser does not know the language."""
    if language.split("-")[0].lower() not in supported_source_languages():
        return None
    speech = resample(to_mono(heard.samples), heard.sample_rate_hz, SPEECH_RATE_HZ)
    weights = whisper_base(place.settings.cache_dir, place.settings.models_dir).path
    return transcribe(speech, weights=weights, language=language, threads=place.settings.threads).words


def onset_errors_s(
    place: Workplace, heard: Heard, stems: Stems, sound: DubMix, spoken: tuple[SpokenLine, ...]
) -> dict[str, float]:
    """Onset in the delivered dub minus onset in the original dialogue, for each dubbed line."""
    original, rate_hz = place.samples(stems.dialogue)
    background, _ = place.samples(sound.background)
    dubbed = residual_dialogue(heard.samples, resample(background, rate_hz, heard.sample_rate_hz))
    mono = to_mono(original)
    errors, meant_free_s, came_free_s = {}, 0.0, 0.0
    for item in spoken:
        line, take = item.line, item.take
        if take is not None:
            meant = speech_onset_s(mono, rate_hz, _window(line.span.start_s, meant_free_s))
            came = speech_onset_s(dubbed, heard.sample_rate_hz, _window(line.span.start_s, came_free_s))
            if meant is not None and came is not None:
                errors[line.id] = came - meant
            came_free_s = max(came_free_s, line.span.start_s + take.duration_s)
        meant_free_s = max(meant_free_s, line.span.end_s)
    return errors


def _window(start_s: float, free_s: float) -> TimeSpan:
    """Where to look for an onset: not where the line before still sounds."""
    before, after = ONSET_SEARCH_S
    return TimeSpan(start_s=max(0.0, min(start_s, max(start_s + before, free_s))), end_s=start_s + after)


def voice_similarity(place: Workplace, spoken: tuple[SpokenLine, ...]) -> dict[str, float]:
    """Cosine of each take's voice to the mean of the same speaker's other takes."""
    encoder = speaker_encoder(place.settings.models_dir).path
    voices: dict[str, dict[str, np.ndarray]] = {}
    for item in spoken:
        if item.take is not None:
            samples, rate_hz = place.samples(item.take.audio)
            own = embed(resample(to_mono(samples), rate_hz, SPEECH_RATE_HZ), encoder=encoder)
            voices.setdefault(item.line.speaker, {})[item.line.id] = own
    return {
        line_id: cosine(own, np.mean([other for name, other in takes.items() if name != line_id], axis=0))
        for takes in voices.values()
        if len(takes) > 1
        for line_id, own in takes.items()
    }
