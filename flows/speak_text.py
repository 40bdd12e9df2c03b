"""Speech, and the mouth that belongs to it, from a text."""

from pathlib import PurePosixPath

from prefect import flow

from flows.form import form
from flows.performance import (
    Checked,
    Made,
    check_files,
    check_voice,
    check_weights,
    find_voice,
    finish,
    overflow_warning,
    utterance_of,
)
from media.speech_file import check_speech_suffix
from models.kokoro.languages import resolve_language
from models.weights.known import JAMFLOW_TINY
from schemas.dub import Take
from schemas.errors import RequestError
from schemas.performance import ModeChoice
from schemas.performance_request import PerformanceResult, SpeakRequest
from tasks.clips import speech_file
from tasks.outputs import prepare_folders
from tasks.perform import perform_takes
from tasks.stage import collect_stage_times
from tasks.workplace import Workplace, open_workplace

WEIGHTS = (JAMFLOW_TINY, "whisper-base", "silero-vad", "speaker-encoder")


def check_speak(request: SpeakRequest, place: Workplace) -> Checked[SpeakRequest]:
    """Refuse early. Raises: RequestError, MediaError, WeightsError."""
    check_speech_suffix(request.out)
    if not request.text.strip():
        raise RequestError("there is no text to speak: give at least a word")
    resolve_language(request.language)
    local = check_files(request, _outputs(request), place)
    models = check_weights(local, WEIGHTS, place)
    return Checked(local, models, check_voice(local, "speak", local.language, place))


def _outputs(request: SpeakRequest) -> list[str]:
    return [name for name in (request.out, request.motion_out) if name is not None]


@flow(name="speak-text")
@form(SpeakRequest)
def speak_text(request: SpeakRequest) -> PerformanceResult:
    """Speak a text in a packaged voice, or in one that consent was given for; on request with the mouth's motion."""
    place = open_workplace()
    checked = check_speak(request, place)
    prepare_folders(_outputs(request), place.settings)
    with collect_stage_times() as times:
        voice = find_voice(checked.local, request.language, checked.engine, place)
        what = utterance_of(
            request.text, request.language, voice, request.duration_s, request.seed, checked.engine, place
        )
        take: Take = perform_takes(what, _choice(request), None, request.takes, checked.engine)
    files = {request.out: speech_file(place, take.audio, PurePosixPath(request.out).suffix)}
    if request.motion_out is not None and take.motion is not None:
        files[request.motion_out] = place.store.get_bytes(take.motion)
    made = Made(
        files=files,
        mode=_choice(request).mode,
        duration_s=take.duration_s,
        voice=voice,
        takes=take.scores,
        warnings=overflow_warning(take),
    )
    return finish("speak", request, checked, times, made, place)


def _choice(request: SpeakRequest) -> ModeChoice:
    if request.motion_out is None:
        return ModeChoice(mode="read", reason="no motion is asked for")
    return ModeChoice(mode="speak", reason="speech and motion are asked for")
