"""Who says what, when."""

import numpy as np

from media.audio_io import resample, to_mono
from models.asr.whisper import Recognition, source_language_code
from models.asr.whisper import transcribe as recognise
from models.dialogue.lines import build_lines, prepare_words
from models.dialogue.utterances import join_words
from models.diarization.pyannote import diarize
from models.weights.resolve import pyannote_segmentation, speaker_encoder, whisper_base
from schemas.artifact import ArtifactRef
from schemas.errors import MediaError
from schemas.progress import report
from schemas.settings import Settings
from schemas.speech import Transcript
from tasks.stage import stage_task
from tasks.workplace import open_workplace

SPEECH_RATE_HZ = 16_000


def check_source_language(tag: str | None) -> None:
    """Raises: RequestError, where the recogniser does not know the language."""
    if tag is not None:
        source_language_code(tag)


@stage_task("transcribe", version=1, weights=("whisper-base", "silero-vad", "pyannote-segmentation", "speaker-encoder"))
def transcribe(dialogue: ArtifactRef, language: str | None, speakers: int | None) -> Transcript:
    """Recognise words, find the speakers, and cut the speech into lines."""
    place = open_workplace()
    settings = place.settings
    samples, sample_rate_hz = place.samples(dialogue)
    speech = resample(to_mono(samples), sample_rate_hz, SPEECH_RATE_HZ)
    heard = recognise(
        speech,
        weights=whisper_base(settings.cache_dir, settings.models_dir).path,
        language=language,
        threads=settings.threads,
        on_progress=lambda done, total: report("transcribe", done, total, "words"),
    )
    if not heard.words:
        raise MediaError("no speech was recognised in this audio: choose another with --audio-track, or name --from")
    return _with_speakers(heard, speech, speakers, settings)


def _with_speakers(heard: Recognition, speech: np.ndarray, speakers: int | None, settings: Settings) -> Transcript:
    report("transcribe", 0, 1, "speakers")
    turns = diarize(
        speech,
        segmentation=pyannote_segmentation(settings.models_dir).path,
        encoder=speaker_encoder(settings.models_dir).path,
        num_speakers=speakers,
        threads=settings.threads,
    )
    words = prepare_words(heard.words, turns, dialogue=speech)
    lines = build_lines(words, turns, dialogue=speech)
    return Transcript(language=heard.language, lines=lines, words=words, turns=turns)


def hear(samples: np.ndarray, sample_rate_hz: int, language: str, settings: Settings) -> Recognition:
    """What the recogniser hears in mono samples [n]. Raises: RequestError, where it does not know the language."""
    return recognise(
        resample(samples, sample_rate_hz, SPEECH_RATE_HZ),
        weights=whisper_base(settings.cache_dir, settings.models_dir).path,
        language=language,
        threads=settings.threads,
    )


def heard_text(samples: np.ndarray, sample_rate_hz: int, language: str, settings: Settings) -> str:
    """The text of what it hears. Raises: as `hear`."""
    return join_words([word.text for word in hear(samples, sample_rate_hz, language, settings).words])
