"""Refuse early: everything that can be known to fail is said before the long work begins."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.plan import drawing_told, frames_to_draw
from media.mux import container_suffix
from models.kokoro.languages import resolve_language
from models.weights.files import sha256_of
from schemas.artifact import ModelRef
from schemas.dub import DubRequest
from schemas.errors import RequestError
from schemas.media import AudioStream, MediaInfo
from schemas.motion import FaceModelRef
from schemas.speech import Cue
from tasks.consent import Cloning, Consent, check_consent, check_person, read_consent
from tasks.deliver import check_output
from tasks.face_models import drawing_cpu_s, face_model_of_engine, packaged_face_model
from tasks.ingest import fetch_inputs, inspect_source, read_cues
from tasks.licences import needed_models
from tasks.script import check_translation
from tasks.space import SpaceNeeded, check_space, space_needed
from tasks.transcribe import check_source_language
from tasks.workplace import Workplace


@dataclass(frozen=True)
class CheckedRequest:
    """What was read while checking; `local` is the request with its files on this disk."""

    local: DubRequest
    info: MediaInfo
    audio: AudioStream
    cues: tuple[Cue, ...] | None
    models: tuple[ModelRef, ...]
    faces_by: FaceModelRef
    consent: Consent | None
    space: SpaceNeeded

    @property
    def told(self) -> str | None:
        """What people are told before lips are drawn, where that takes long."""
        each_s = drawing_cpu_s(self.faces_by)
        return None if each_s is None else drawing_told(frames_to_draw(self.info, self.cues), each_s)


def check_request(request: DubRequest, place: Workplace) -> CheckedRequest:
    """Open everything the request names, and check languages, licences and what lies in the output folder.

    Nothing is written but copies of files that lie in a bucket.

    Raises: RequestError, MediaError, WeightsError, StorageError.
    """
    local = fetch_inputs(request, place)
    info, audio = inspect_source(local, place)
    consent = check_voice(local)
    if consent is not None and request.speakers is not None and request.speakers > 1:
        check_person(consent, [f"S{number}" for number in range(1, request.speakers + 1)])
    resolve_language(request.target_language)
    check_source_language(request.source_language)
    cues = read_cues(local)
    _check_cue_times(cues, request, info)
    check_translation(request.source_language or audio.language, request.target_language, cues is not None)
    faces_by, models = check_weights(request, place)
    check_output(request, container_suffix(info), place)
    space = space_needed(local, info, audio, place)
    check_space(local, space, place)
    return CheckedRequest(local, info, audio, cues, models, faces_by, consent, space)


def check_weights(request: DubRequest, place: Workplace) -> tuple[FaceModelRef, tuple[ModelRef, ...]]:
    """Verify the weights that a request needs; returns what reads faces, and all of them. Raises: WeightsError."""
    faces_by = face_model_of_engine(place) if request.engine == "jamflow" else packaged_face_model()
    return faces_by, needed_models(request, faces_by, place)


def check_voice(request: DubRequest) -> Consent | None:
    """Refuse to clone voices without consent, and voices that the engine does not have; returns the consent to use.

    Raises: RequestError.
    """
    if request.engine == "cascade":
        if request.voice == "own" or request.consent is not None:
            raise RequestError(
                "engine cascade speaks in packaged voices only: leave out --voice own and --consent, or pass "
                "--engine jamflow"
            )
        return None
    if not request.clones:
        return None
    video = Path(request.video)
    cloning = Cloning(
        use="dub",
        language=request.target_language,
        commercial=request.commercial,
        recording_sha256=sha256_of(video),
        recording=video.name,
    )
    consent = read_consent(Path(request.consent)) if request.consent is not None else None
    check_consent(consent, cloning, datetime.now(UTC).date())
    return consent


def _check_cue_times(cues: tuple[Cue, ...] | None, request: DubRequest, info: MediaInfo) -> None:
    for number, cue in enumerate(cues or (), start=1):
        if cue.span.start_s >= info.duration_s:
            raise RequestError(
                f"{request.script}: cue {number} starts at {cue.span.start_s:.3f} s, but "
                f"{Path(request.video).name} ends at {info.duration_s:.3f} s; is it the right script?"
            )
