"""Choose the voices, and speak the lines."""

import numpy as np

from media.audio_io import resample, to_mono
from models.cascade.cast import OriginalVoice, cast_voices
from models.cascade.speak import SpeakResources
from models.cascade.speak import speak as perform
from models.dialogue.timing import utterance_room_s
from models.kokoro.synthesis import SAMPLE_RATE_HZ
from models.speaker.encoder import embed
from models.speaker.pitch import median_f0_hz
from models.weights.resolve import speaker_encoder
from schemas.artifact import ArtifactRef
from schemas.dub import DubRequest, Take, Utterance, Voice
from schemas.media import TimeSpan
from schemas.speech import Line, Script
from tasks.mix import cut
from tasks.stage import stage_task
from tasks.transcribe import SPEECH_RATE_HZ
from tasks.workplace import SAFETENSORS, Workplace, open_workplace

LONGEST_SAMPLE_S = 60.0
"""Speech of one speaker that is listened to: more does not make a voice better known."""


@stage_task("cast", version=1, weights=("speaker-encoder", "kokoro"))
def cast(lines: tuple[Line, ...], dialogue: ArtifactRef, language: str) -> tuple[Voice, ...]:
    """Give each speaker the packaged voice or blend nearest to the original, for the whole video."""
    place = open_workplace()
    return cast_voices(original_voices(place, lines, dialogue), resources=resources(place), language=language)


def original_voices(place: Workplace, lines: tuple[Line, ...], dialogue: ArtifactRef) -> dict[str, OriginalVoice]:
    """What is known of each speaker's own voice."""
    samples, sample_rate_hz = place.samples(dialogue)
    speech = resample(to_mono(samples), sample_rate_hz, SPEECH_RATE_HZ)
    encoder = speaker_encoder(place.settings.models_dir).path
    originals = {}
    for speaker in dict.fromkeys(line.speaker for line in lines):
        own = _speech_of(speaker, lines, speech)
        embedding = embed(own, encoder=encoder) if len(own) >= SPEECH_RATE_HZ else None
        originals[speaker] = OriginalVoice(embedding=embedding, median_f0_hz=median_f0_hz(own))
    return originals


def _speech_of(speaker: str, lines: tuple[Line, ...], speech: np.ndarray) -> np.ndarray:
    parts = [cut(speech, line.span, SPEECH_RATE_HZ) for line in lines if line.speaker == speaker]
    return np.concatenate(parts)[: int(LONGEST_SAMPLE_S * SPEECH_RATE_HZ)]


def utterance(
    script: Script, index: int, voices: tuple[Voice, ...], request: DubRequest, duration_s: float
) -> Utterance:
    """Say how line `index` is to be spoken, free of its place in the video."""
    line = script.lines[index]
    shifted = (
        TimeSpan(start_s=pause.start_s - line.span.start_s, end_s=pause.end_s - line.span.start_s)
        for pause in line.pauses
    )
    return Utterance(
        text=line.target_text or "",
        language=request.target_language,
        voice=next(voice for voice in voices if voice.speaker == line.speaker),
        duration_s=round(line.span.duration_s, 6),
        room_s=round(utterance_room_s(script.lines, index, duration_s), 6),
        pauses=tuple(shifted),
        seed=request.seed,
    )


@stage_task("speak", version=1, weights=("kokoro", "audio-to-mouth"))
def speak(what: Utterance, with_motion: bool) -> Take:
    """Speak one line, and derive the mouth that belongs to it."""
    place = open_workplace()
    performance = perform(what, resources=resources(place), with_motion=with_motion)
    motion = performance.motion
    return Take(
        audio=place.put_samples(performance.samples, SAMPLE_RATE_HZ),
        motion=place.store.put_bytes(motion.to_bytes(), SAFETENSORS) if motion is not None else None,
        engine="cascade",
        seed=what.seed,
        duration_s=len(performance.samples) / SAMPLE_RATE_HZ,
        speed=performance.speed,
        stretch=performance.stretch,
        overflow_s=performance.overflow_s,
        unfit_s=performance.unfit_s,
    )


def resources(place: Workplace) -> SpeakResources:
    """What the cascade needs of the workplace."""
    settings = place.settings
    return SpeakResources(
        cache_dir=settings.cache_dir, models_dir=settings.models_dir, threads=settings.threads, tools=place.tools
    )
