"""Engine `jamflow`: perform a line in several takes and keep the best, move a mouth to a sound, voice a mouth."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeVar

import torch

from media.audio_io import resample, to_mono
from models.asr.whisper import supported_source_languages
from models.jamflow.config import SAMPLE_RATE_HZ
from models.motion import Motion
from models.performer.clip import Progress, motion_frames, mouth_from_sound, sound_from_mouth
from models.performer.engine import Engine, load_engine
from models.performer.face import LEAST_SEEN_SHARE, cut
from models.performer.line import Performable, perform_line
from models.performer.measure import Hear, measure_line, mouth_agreement
from models.performer.perform import Performance, usual_sampling
from models.performer.rank import Measured, ranked, score
from models.performer.timeline import Timeline, natural_duration_s, timeline
from models.weights.resolve import jamflow
from schemas.artifact import ArtifactRef, ModelRef
from schemas.dub import Lips, Take, Utterance
from schemas.performance import LineMotion, ModeChoice, ReferenceVoice, TakeScore
from schemas.progress import report
from tasks.stage import stage_task
from tasks.transcribe import heard_text
from tasks.voices import read_reference
from tasks.workplace import SAFETENSORS, Workplace, open_workplace

Made = TypeVar("Made")

SEEDS_APART = 1_000
"""Between takes: the parts of a long line count their seeds on from their take's."""
SEEDS = 2**31


def choose_mode(lips: Lips, face: LineMotion) -> ModeChoice:
    """Which mode speaks a line: by what may change of the picture, and by what is seen of the speaker."""
    seen = f"the mouth is seen in {face.seen_share:.0%} of the line"
    if face.motion is None or face.seen_share == 0.0:
        return ModeChoice(mode="read", reason="no face is seen speaking the line")
    if lips == "reanimate":
        return ModeChoice(mode="reanimate", reason=seen)
    if face.seen_share < LEAST_SEEN_SHARE:
        return ModeChoice(mode="read", reason=f"{seen}, {LEAST_SEEN_SHARE:.0%} are needed to follow it")
    return ModeChoice(mode="dub", reason=seen)


@stage_task("speak", version=1, weights=("whisper-base", "silero-vad", "audio-to-mouth"), heavy=True)
def perform_takes(what: Utterance, choice: ModeChoice, face: ArtifactRef | None, takes: int, engine: ModelRef) -> Take:
    """Perform a line in several takes, measure each, and keep the one that costs least (models.performer.rank)."""
    place = open_workplace()
    loaded = open_engine(place, engine)
    laid_out = timeline(what.text, what.language, what.duration_s, what.pauses, durations=loaded.durations)
    motion = None if face is None or choice.mode == "read" else Motion.from_bytes(place.store.get_bytes(face))
    phones = laid_out.phones
    if choice.mode == "dub" and motion is not None:
        phones = loaded.followed(phones, cut(motion, 0, motion_frames(phones[-1].end_s)))
    line = Performable(choice.mode, phones, read_reference(place, what.voice.reference), motion)
    scores, best = _best(
        lambda seed, told: perform_line(loaded, line, usual_sampling(), seed=seed, progress=told),
        _judge(place, what, line),
        takes,
        what.seed,
    )
    return _take(place, what, choice, laid_out, scores, best)


def _best(
    make: Callable[[int, Progress], Made], judge: Callable[[Made], Measured], takes: int, first_seed: int
) -> tuple[tuple[TakeScore, ...], Made]:
    """Make several takes: the scores of all, the best first, and the best itself."""
    tried: dict[int, tuple[TakeScore, Made]] = {}
    for number in range(takes):
        seed = _seed(first_seed, number)
        made = make(seed, _told(number, takes))
        tried[seed] = (score(seed, judge(made)), made)
    scores = ranked([own for own, _ in tried.values()])
    return scores, tried[scores[0].seed][1]


def _judge(place: Workplace, what: Utterance, line: Performable) -> Callable[[Performance], Measured]:
    hear = recogniser(place, what.language)

    def judge(made: Performance) -> Measured:
        assert made.samples is not None, "a line is spoken"
        return measure_line(
            made.samples,
            line.phones,
            text=what.text,
            language=what.language,
            hear=hear,
            followed=line.motion if line.mode == "dub" else None,
        )

    return judge


def recogniser(place: Workplace, language: str) -> Hear | None:
    """The repository's recogniser for one language; None where it does not know it."""
    if language.split("-")[0].lower() not in supported_source_languages():
        return None
    return lambda samples: heard_text(samples, SAMPLE_RATE_HZ, language, place.settings)


def _take(
    place: Workplace,
    what: Utterance,
    choice: ModeChoice,
    laid_out: Timeline,
    scores: tuple[TakeScore, ...],
    best: Performance,
) -> Take:
    assert best.samples is not None, "a line is spoken"
    overflow_s = round(laid_out.overflow_s, 4)
    return Take(
        audio=place.put_samples(best.samples, SAMPLE_RATE_HZ),
        motion=None if best.motion is None else place.store.put_bytes(best.motion.to_bytes(), SAFETENSORS),
        engine="jamflow",
        seed=scores[0].seed,
        duration_s=len(best.samples) / SAMPLE_RATE_HZ,
        speed=round(laid_out.speed, 4),
        stretch=1.0,
        overflow_s=overflow_s,
        unfit_s=round(max(0.0, overflow_s - what.room_s), 4),
        mode=choice.mode,
        mode_reason=choice.reason,
        scores=scores,
    )


def spoken_duration_s(place: Workplace, text: str, language: str, engine: ModelRef) -> float:
    """How long a text naturally takes. Raises: RequestError, where nothing in it can be said."""
    return round(natural_duration_s(text, language, open_engine(place, engine).durations), 4)


@stage_task("lips", version=1, heavy=True)
def move_lips(
    audio: ArtifactRef, face: ArtifactRef, mode: Literal["lipsync", "animate"], seed: int, engine: ModelRef
) -> ArtifactRef:
    """Make the mouth that belongs to a sound, on a video's face or on a portrait's."""
    place = open_workplace()
    samples, rate_hz = place.samples(audio)
    motion = mouth_from_sound(
        open_engine(place, engine),
        resample(to_mono(samples), rate_hz, SAMPLE_RATE_HZ),
        Motion.from_bytes(place.store.get_bytes(face)),
        usual_sampling(),
        mode=mode,
        seed=seed,
        progress=_told(0, 1),
    )
    return place.store.put_bytes(motion.to_bytes(), SAFETENSORS)


@stage_task("speak", version=1, weights=("audio-to-mouth",), heavy=True)
def voice_mouth(face: ArtifactRef, voice: ReferenceVoice | None, takes: int, seed: int, engine: ModelRef) -> Take:
    """Make the speech that belongs to a mouth; of several takes the one whose sound suggests that mouth best."""
    place = open_workplace()
    loaded, motion = open_engine(place, engine), Motion.from_bytes(place.store.get_bytes(face))
    reference = read_reference(place, voice)
    scores, best = _best(
        lambda own, told: sound_from_mouth(loaded, motion, reference, usual_sampling(), seed=own, progress=told),
        lambda samples: Measured(mouth_r=mouth_agreement(samples, motion)),
        takes,
        seed,
    )
    return Take(
        audio=place.put_samples(best, SAMPLE_RATE_HZ),
        motion=None,
        engine="jamflow",
        seed=scores[0].seed,
        duration_s=len(best) / SAMPLE_RATE_HZ,
        speed=1.0,
        stretch=1.0,
        overflow_s=0.0,
        unfit_s=0.0,
        mode="revoice",
        mode_reason="speech from the mouth alone",
        scores=scores,
    )


def open_engine(place: Workplace, ref: ModelRef) -> Engine:
    """Load the engine that a request was checked with, once for all lines."""
    torch.set_num_threads(place.settings.threads)
    return _loaded(jamflow(place.settings.models_dir).path, ref.sha256)


@lru_cache(maxsize=1)
def _loaded(folder: Path, _sha256: str) -> Engine:
    return load_engine(folder)


def _seed(first: int, take: int) -> int:
    return (first + take * SEEDS_APART) % SEEDS


def _told(take: int, of: int) -> Progress:
    return lambda done, total: report("perform", take * total + done, of * total, f"take {take + 1} of {of}")
