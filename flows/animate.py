"""A portrait brought to speech (I2V): by a sound, or by a text that is spoken for it."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from prefect import flow

from flows.form import form
from flows.performance import (
    CheckedFaces,
    Made,
    check_faces_engine,
    check_files,
    check_voice,
    find_voice,
    finish,
    overflow_warning,
    sound_of,
    utterance_of,
)
from models.kokoro.languages import resolve_language
from models.performer.clip import motion_frames
from models.weights.known import JAMFLOW_TINY
from schemas.artifact import ArtifactRef
from schemas.dub import Take
from schemas.errors import RequestError
from schemas.performance import Mode, ModeChoice, ReferenceVoice, TakeScore
from schemas.performance_request import AnimateRequest, PerformanceResult
from tasks.clips import animate_portrait as draw_portrait
from tasks.clips import open_sound, portrait_face, portrait_landmarks
from tasks.outputs import prepare_folders
from tasks.perform import move_lips, perform_takes, spoken_duration_s
from tasks.stage import collect_stage_times
from tasks.workplace import Workplace, open_workplace

WEIGHTS = (JAMFLOW_TINY, "mediapipe-face-mesh", "facemesh-basis")
SPEAKING_WEIGHTS = ("whisper-base", "silero-vad", "speaker-encoder", "audio-to-mouth")


@dataclass(frozen=True)
class Speech:
    """What the portrait says: sound, and the mouth that belongs to it."""

    sound: ArtifactRef
    mouth: ArtifactRef
    mode: Mode
    duration_s: float
    voice: ReferenceVoice | None = None
    takes: tuple[TakeScore, ...] = ()
    warnings: tuple[str, ...] = ()


def check_animate(request: AnimateRequest, place: Workplace) -> CheckedFaces[AnimateRequest]:
    """Refuse early: the portrait's face is looked for already here. Raises: RequestError, MediaError, WeightsError."""
    if PurePosixPath(request.out).suffix.lower() != ".mp4":
        raise RequestError(f"{request.out}: an animated portrait is written as .mp4; choose such a name for --out")
    local = check_files(request, [request.out], place)
    if local.audio is not None:
        duration_s = open_sound(Path(local.audio), place)[0].info.duration_s
        checked = check_faces_engine(local, WEIGHTS, place)
    else:
        assert local.text is not None, "a request says one thing"
        resolve_language(local.language)
        consent = check_voice(local, "speak", local.language, place)
        checked = check_faces_engine(local, (*WEIGHTS, *SPEAKING_WEIGHTS), place, consent)
        duration_s = spoken_duration_s(place, local.text, local.language, checked.engine)
    portrait_landmarks(Path(local.portrait), request.portrait)
    return checked.drawing(motion_frames(duration_s))


@flow(name="animate-portrait")
@form(AnimateRequest)
def animate_portrait(request: AnimateRequest) -> PerformanceResult:
    """Move a portrait's mouth to a sound, or to the speech of a text, at the motion's frame rate."""
    place = open_workplace()
    checked = check_animate(request, place)
    portrait = Path(checked.local.portrait)
    prepare_folders([request.out], place.settings)
    with collect_stage_times() as times:
        stored = place.store.put_file(portrait, f"image/{portrait.suffix[1:].lower()}")
        said = (_heard if request.audio is not None else _spoken)(stored, checked, place)
        movie = draw_portrait(stored, portrait.name, said.mouth, said.sound, checked.faces_by)
    made = Made(
        files={request.out: place.store.get_bytes(movie)},
        mode=said.mode,
        duration_s=said.duration_s,
        voice=said.voice,
        takes=said.takes,
        frames_rendered=motion_frames(said.duration_s),
        warnings=said.warnings,
    )
    return finish("animate", request, checked, times, made, place)


def _heard(portrait: ArtifactRef, checked: CheckedFaces[AnimateRequest], place: Workplace) -> Speech:
    """The given sound, and a mouth for it."""
    request = checked.local
    assert request.audio is not None, "the request was checked"
    sound = sound_of(Path(request.audio), place)
    samples, rate_hz = place.samples(sound)
    duration_s = len(samples) / rate_hz
    name = Path(request.portrait).name
    face = portrait_face(portrait, name, motion_frames(duration_s), checked.faces_by)
    return Speech(sound, move_lips(sound, face, "animate", request.seed, checked.engine), "animate", duration_s)


def _spoken(portrait: ArtifactRef, checked: CheckedFaces[AnimateRequest], place: Workplace) -> Speech:
    """Speech and mouth made together, on the face that the portrait shows."""
    request = checked.local
    assert request.text is not None, "the request was checked"
    voice = find_voice(request, request.language, checked.engine, place)
    what = utterance_of(request.text, request.language, voice, None, request.seed, checked.engine, place)
    name = Path(request.portrait).name
    face = portrait_face(portrait, name, motion_frames(what.duration_s) + 1, checked.faces_by)
    choice = ModeChoice(mode="reanimate", reason="a portrait is to say a text")
    take: Take = perform_takes(what, choice, face, request.takes, checked.engine)
    assert take.motion is not None, "the mode generates the mouth"
    return Speech(
        sound=take.audio,
        mouth=take.motion,
        mode="reanimate",
        duration_s=take.duration_s,
        voice=voice,
        takes=take.scores,
        warnings=overflow_warning(take),
    )
