"""Speech, and the mouth that belongs to it, from a text."""

from pathlib import Path

from prefect import flow

from flows.performance import Checked, Made, check_files, check_voice, check_weights, find_voice, finish
from media.speech_file import check_speech_suffix
from models.kokoro.languages import resolve_language
from models.weights.known import JAMFLOW_TINY
from schemas.dub import Take, Utterance, Voice
from schemas.errors import RequestError
from schemas.performance import ModeChoice
from schemas.performance_request import PerformanceResult, SpeakRequest
from tasks.clips import speech_file
from tasks.outputs import prepare_folders
from tasks.perform import perform_takes, spoken_duration_s
from tasks.stage import collect_stage_times
from tasks.workplace import Workplace, open_workplace

WEIGHTS = (JAMFLOW_TINY, "whisper-base", "silero-vad", "speaker-encoder")


def check_speak(request: SpeakRequest, place: Workplace) -> Checked:
    """Refuse early. Raises: RequestError, MediaError, WeightsError."""
    check_speech_suffix(Path(request.out))
    if not request.text.strip():
        raise RequestError("there is no text to speak: give at least a word")
    resolve_language(request.language)
    check_files(request, _outputs(request), _inputs(request))
    models = check_weights(request, WEIGHTS, place)
    return Checked(models, check_voice(request, "speak", request.language, place))


def _inputs(request: SpeakRequest) -> list[Path]:
    return [Path(name) for name in (request.reference, request.consent) if name is not None]


def _outputs(request: SpeakRequest) -> list[Path]:
    return [Path(name) for name in (request.out, request.motion_out) if name is not None]


@flow(name="speak-text")
def speak_text(request: SpeakRequest) -> PerformanceResult:
    """Speak a text in a packaged voice, or in one that consent was given for; on request with the mouth's motion."""
    place = open_workplace()
    checked = check_speak(request, place)
    prepare_folders(_outputs(request))
    with collect_stage_times() as times:
        voice = find_voice(request, request.language, checked.engine, place)
        what = Utterance(
            text=request.text,
            language=request.language,
            voice=Voice(speaker="voice", reference=voice, similarity=1.0, median_f0_hz=None),
            duration_s=request.duration_s or spoken_duration_s(place, request.text, request.language, checked.engine),
            room_s=0.0,
            seed=request.seed,
        )
        take: Take = perform_takes(what, _choice(request), None, request.takes, checked.engine)
    files = {Path(request.out): speech_file(place, take.audio, Path(request.out).suffix)}
    if request.motion_out is not None and take.motion is not None:
        files[Path(request.motion_out)] = place.store.get_bytes(take.motion)
    warnings = (
        (f"the text needs {take.duration_s:.2f} s, {take.overflow_s:.2f} s more than asked: shorten it",)
        if take.overflow_s > 0
        else ()
    )
    made = Made(
        files=files,
        mode=_choice(request).mode,
        duration_s=take.duration_s,
        voice=voice,
        takes=take.scores,
        warnings=warnings,
    )
    return finish("speak", request, _inputs(request), checked, times, made)


def _choice(request: SpeakRequest) -> ModeChoice:
    if request.motion_out is None:
        return ModeChoice(mode="read", reason="no motion is asked for")
    return ModeChoice(mode="speak", reason="speech and motion are asked for")
