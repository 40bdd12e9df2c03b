"""The voices of engine `jamflow`: for each speaker a reference recording, packaged or the actor's own."""

from collections.abc import Sequence

import numpy as np

from media.audio_io import resample, to_mono
from models.asr.whisper import transcribe
from models.cascade.cast import OriginalVoice
from models.corpus.phones import TimedPhone
from models.jamflow.config import SAMPLE_RATE_HZ
from models.motion import Motion
from models.performer.face import seen_share
from models.performer.perform import Reference
from models.performer.timeline import phones_of_words
from models.performer.voice import (
    VOICES,
    PackagedVoice,
    cast_packaged,
    cleanest,
    levelled,
    named,
    packaged_voices,
    placed_words,
    shifted,
)
from models.speaker.encoder import cosine
from models.weights.resolve import jamflow, speaker_encoder, whisper_base
from schemas.artifact import ArtifactRef, ModelRef
from schemas.dub import Voice
from schemas.errors import MediaError
from schemas.motion import LineFaces
from schemas.performance import PhoneSpan, ReferenceVoice
from schemas.speech import Line, Word
from schemas.stages import Stems
from tasks.mix import cut
from tasks.mouths import motion_within
from tasks.speak import original_voices
from tasks.stage import stage_task
from tasks.transcribe import SPEECH_RATE_HZ
from tasks.workplace import SAFETENSORS, Workplace, open_workplace

LEAST_SEEN_SHARE = 0.9
"""Of a reference, below which its face is left out: half a face teaches nothing."""


@stage_task("cast", version=1, weights=("speaker-encoder",))
def cast_references(
    lines: tuple[Line, ...], dialogue: ArtifactRef, language: str, engine: ModelRef
) -> tuple[Voice, ...]:
    """Give each speaker the packaged reference recording nearest to the original."""
    del engine  # its hash is part of the key: the voices lie in its folder
    place = open_workplace()
    encoder = speaker_encoder(place.settings.models_dir).path
    voices = packaged_voices(jamflow(place.settings.models_dir).path / VOICES, encoder)
    originals = original_voices(place, lines, dialogue)
    chosen = cast_packaged(originals, voices, language)
    return tuple(_packaged(place, speaker, originals[speaker], voice) for speaker, voice in chosen.items())


def _packaged(place: Workplace, speaker: str, original: OriginalVoice, voice: PackagedVoice) -> Voice:
    similarity = 0.0 if original.embedding is None else cosine(original.embedding, voice.embedding)
    return Voice(
        speaker=speaker,
        reference=stored(place, voice),
        similarity=round(similarity, 4),
        median_f0_hz=original.median_f0_hz,
    )


def stored(place: Workplace, voice: PackagedVoice) -> ReferenceVoice:
    """Put a packaged voice into the store."""
    return _reference(place, voice.name, "packaged", voice.samples, voice.phones)


@stage_task("cast", version=1)
def packaged_reference(name: str | None, engine: ModelRef) -> ReferenceVoice:
    """A packaged voice by its name; None: the first one."""
    del engine  # as above
    place = open_workplace()
    encoder = speaker_encoder(place.settings.models_dir).path
    voices = packaged_voices(jamflow(place.settings.models_dir).path / VOICES, encoder)
    return stored(place, voices[0] if name is None else named(voices, name))


@stage_task("reference", version=2, weights=("speaker-encoder",))
def own_references(
    speakers: tuple[str, ...],
    lines: tuple[Line, ...],
    words: tuple[Word, ...],
    stems: Stems,
    source_language: str,
    motions: ArtifactRef | None,
    bound: tuple[LineFaces, ...],
) -> tuple[Voice, ...]:
    """Cut each speaker's cleanest 3 to 6 s out of the dialogue, with the face over it where it is well seen.

    Raises: MediaError, where a speaker says too little to be imitated.
    """
    place = open_workplace()
    originals = original_voices(place, lines, stems.dialogue)
    references = {
        speaker: _own(place, speaker, lines, words, stems, source_language, motions, bound) for speaker in speakers
    }
    return tuple(
        Voice(speaker=name, reference=own, similarity=1.0, median_f0_hz=originals[name].median_f0_hz)
        for name, own in references.items()
    )


def _own(
    place: Workplace,
    speaker: str,
    lines: Sequence[Line],
    words: Sequence[Word],
    stems: Stems,
    language: str,
    motions: ArtifactRef | None,
    bound: Sequence[LineFaces],
) -> ReferenceVoice:
    dialogue, rate_hz = place.samples(stems.dialogue)
    background, _ = place.samples(stems.background)
    own_lines = {line.id: line for line in lines if line.speaker == speaker}
    said = [[word for word in words if _is_in(word, line)] for line in own_lines.values()]
    found = cleanest(said, to_mono(dialogue), to_mono(background), rate_hz)
    if found is None:
        raise MediaError(
            f"{speaker} says less than a second in one go, too little to imitate: pass --voice packaged for this video"
        )
    span, best = found
    samples = levelled(cut(dialogue, span, rate_hz), rate_hz)
    duration_s = len(samples) / SAMPLE_RATE_HZ
    phones = phones_of_words(shifted(best, span.start_s, duration_s), language, duration_s)
    shown = {own.line_id: own for own in bound if own.track_ids}
    face = next((shown[name] for name, line in own_lines.items() if name in shown and _is_in(best[0], line)), None)
    motion = None if motions is None or face is None else motion_within(place, motions, face, span)
    name = f"{speaker}, {span.start_s:.2f} to {span.end_s:.2f} s of the source"
    return _reference(place, name, "own", samples, phones, motion)


def _is_in(word: Word, line: Line) -> bool:
    middle_s = (word.span.start_s + word.span.end_s) / 2
    return line.span.start_s <= middle_s < line.span.end_s


@stage_task("reference", version=1, weights=("whisper-base", "silero-vad"))
def given_reference(audio: ArtifactRef, name: str, text: str | None, language: str) -> ReferenceVoice:
    """A recording that the user gave: its words placed by the recogniser, or by its text where one is given.

    Raises: MediaError, where nobody is heard in it.
    """
    place = open_workplace()
    settings = place.settings
    samples = levelled(*place.samples(audio))
    heard = transcribe(
        resample(samples, SAMPLE_RATE_HZ, SPEECH_RATE_HZ),
        weights=whisper_base(settings.cache_dir, settings.models_dir).path,
        language=language,
        threads=settings.threads,
    )
    if not heard.words:
        raise MediaError(f"{name}: no speech is heard in this reference: give 3 to 10 s in which one person speaks")
    words = heard.words if text is None else placed_words(text, heard.words)
    return _reference(place, name, "given", samples, phones_of_words(words, language, len(samples) / SAMPLE_RATE_HZ))


def _reference(
    place: Workplace,
    name: str,
    origin: str,
    samples: np.ndarray,
    phones: Sequence[TimedPhone],
    motion: Motion | None = None,
) -> ReferenceVoice:
    is_seen = motion is not None and seen_share(motion, len(motion.mouth)) >= LEAST_SEEN_SHARE
    return ReferenceVoice.model_validate(
        {
            "name": name,
            "origin": origin,
            "audio": place.put_samples(samples, SAMPLE_RATE_HZ),
            "duration_s": round(len(samples) / SAMPLE_RATE_HZ, 4),
            "phones": tuple(PhoneSpan(phone=own.phone, start_s=own.start_s, end_s=own.end_s) for own in phones),
            "motion": place.store.put_bytes(motion.to_bytes(), SAFETENSORS) if motion is not None and is_seen else None,
        }
    )


def read_reference(place: Workplace, voice: ReferenceVoice | None) -> Reference | None:
    """A stored voice as the joint model takes it."""
    if voice is None:
        return None
    samples, _ = place.samples(voice.audio)
    phones = tuple(TimedPhone(own.phone, own.start_s, own.end_s) for own in voice.phones)
    motion = None if voice.motion is None else Motion.from_bytes(place.store.get_bytes(voice.motion))
    return Reference(to_mono(samples), phones, motion)
