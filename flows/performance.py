"""What the commands beside `dub` share: how they are checked, and how what they made is written with a receipt."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Generic, Literal, TypeVar

from prefect.runtime import flow_run

from flows.plan import drawing_told
from models.performer.voice import VOICES, voice_names
from models.weights.resolve import jamflow
from schemas.artifact import ArtifactRef, ModelRef
from schemas.consent import ConsentUse
from schemas.dub import Take, Utterance, Voice
from schemas.errors import RequestError
from schemas.motion import FaceModelRef
from schemas.performance import Mode, ReferenceVoice, TakeScore
from schemas.performance_request import AnyRequest, PerformanceReceipt, PerformanceResult, VoiceRequest
from storage.places import open_file
from tasks.clips import open_sound
from tasks.consent import Cloning, Consent, check_consent, read_consent
from tasks.face_models import drawing_cpu_s, face_model_of_engine
from tasks.ingest import extract_audio, fetch_inputs, input_places
from tasks.licences import allowed, drawing, engine_of
from tasks.outputs import check_outputs, prepare_folders, receipt_place, record, record_file
from tasks.perform import spoken_duration_s
from tasks.stage import StageTimes
from tasks.voices import given_reference, packaged_reference
from tasks.workplace import Workplace

Command = Literal["speak", "revoice", "lipsync", "animate"]
Asked = TypeVar("Asked", bound=AnyRequest)


@dataclass(frozen=True)
class Checked(Generic[Asked]):
    """What was verified before work: the weights, engine `jamflow` among them, and the consent to be used.

    `local`: the request with its files on this disk, as they were when they were verified.
    `told`: what people are to know before work begins.
    """

    local: Asked
    models: tuple[ModelRef, ...]
    consent: Consent | None = None
    told: str | None = None

    @property
    def engine(self) -> ModelRef:
        return engine_of(self.models)


@dataclass(frozen=True, kw_only=True)
class CheckedFaces(Checked[Asked]):
    """The same, of a command that reads or draws faces: by what."""

    faces_by: FaceModelRef

    def drawing(self, frames: int) -> "CheckedFaces[Asked]":
        """The same of a command that draws so many frames."""
        each_s = drawing_cpu_s(self.faces_by)
        return self if each_s is None else replace(self, told=drawing_told(frames, each_s))


@dataclass(frozen=True)
class Made:
    """What a flow has made: the files by their places, and what the receipt says of them."""

    files: dict[str, bytes]
    mode: Mode
    duration_s: float
    voice: ReferenceVoice | None = None
    takes: tuple[TakeScore, ...] = ()
    seen_share: float | None = None
    frames_rendered: int | None = None
    frames_skipped: int | None = None
    warnings: tuple[str, ...] = ()


def check_files(request: Asked, outputs: Sequence[str], place: Workplace) -> Asked:
    """Bring the inputs to this disk, and refuse those that are not there, and outputs that are in the way.

    Returns the request with its files here. Raises: RequestError, StorageError.
    """
    local = fetch_inputs(request, place)
    for path in input_places(local).values():
        if not Path(path).is_file():
            raise RequestError(f"{path} does not exist or is no file: check the path")
    inputs, written = input_places(request).values(), [*outputs, receipt_place(request.out)]
    check_outputs(written, inputs, place.settings, overwrite=request.overwrite)
    return local


def check_weights(request: AnyRequest, names: tuple[str, ...], place: Workplace) -> tuple[ModelRef, ...]:
    """Verify weights by name. Raises: WeightsError."""
    return allowed(names, request.commercial, place)


def check_faces_engine(
    local: Asked, names: tuple[str, ...], place: Workplace, consent: Consent | None = None
) -> CheckedFaces[Asked]:
    """Verify weights by name, and those of the face model that the engine was trained with. Raises: WeightsError."""
    models, faces_by = check_weights(local, names, place), face_model_of_engine(place)
    models = (*models, *drawing(faces_by, local.commercial))
    return CheckedFaces(local=local, models=models, consent=consent, faces_by=faces_by)


def check_voice(request: VoiceRequest, use: ConsentUse, language: str | None, place: Workplace) -> Consent | None:
    """Refuse to clone without consent, and voices that there are not; returns the consent to be used.

    Raises: RequestError, WeightsError.
    """
    if request.reference is None:
        _check_packaged(request, place)
        return None
    if request.voice is not None:
        raise RequestError(f"--voice {request.voice} and --reference name two voices: give one of them")
    reference = Path(request.reference)
    open_sound(reference, place)
    consent = read_consent(Path(request.consent)) if request.consent is not None else None
    cloning = Cloning(use, language, request.commercial, record_file(reference).sha256, reference.name)
    check_consent(consent, cloning, datetime.now(UTC).date())
    return consent


def _check_packaged(request: VoiceRequest, place: Workplace) -> None:
    for name, given in (("--consent", request.consent), ("--reference-text", request.reference_text)):
        if given is not None:
            raise RequestError(f"{name} is about a recording: give it with --reference, or leave it out")
    if request.voice is not None:
        names = voice_names(jamflow(place.settings.models_dir).path / VOICES)
        if request.voice not in names:
            raise RequestError(f"there is no packaged voice {request.voice!r}: choose one of {', '.join(names)}")


def find_voice(request: VoiceRequest, language: str, engine: ModelRef, place: Workplace) -> ReferenceVoice:
    """The voice that a checked request names: its recording, or a packaged one."""
    if request.reference is None:
        voice: ReferenceVoice = packaged_reference(request.voice, engine)
        return voice
    path = Path(request.reference)
    audio = sound_of(path, place)
    given: ReferenceVoice = given_reference(audio, path.name, request.reference_text, language)
    return given


def sound_of(path: Path, place: Workplace) -> ArtifactRef:
    """The sound of a recording or a video as a stored WAV, sample 0 at the file's time 0."""
    clip, stream = open_sound(path, place)
    stored = place.store.put_file(path, f"audio/{clip.info.container}")
    audio: ArtifactRef = extract_audio(stored, stream)
    return audio


def utterance_of(
    text: str,
    language: str,
    voice: ReferenceVoice,
    duration_s: float | None,
    seed: int,
    engine: ModelRef,
    place: Workplace,
) -> Utterance:
    """A text by itself, in a voice, as a line is asked for; without a duration it takes its natural time."""
    return Utterance(
        text=text,
        language=language,
        voice=Voice(speaker="voice", reference=voice, similarity=1.0, median_f0_hz=None),
        duration_s=duration_s or spoken_duration_s(place, text, language, engine),
        room_s=0.0,
        seed=seed,
    )


def overflow_warning(take: Take) -> tuple[str, ...]:
    """Said where a text did not fit the time that was asked for."""
    if take.overflow_s <= 0:
        return ()
    return (f"the text needs {take.duration_s:.2f} s, {take.overflow_s:.2f} s more than asked: shorten it",)


def finish(
    command: Command, request: Asked, checked: Checked[Asked], times: StageTimes, made: Made, place: Workplace
) -> PerformanceResult:
    """Write the receipt, then the files, each whole or not at all."""
    receipt_file = open_file(receipt_place(request.out), place.settings)
    receipt = PerformanceReceipt(
        jamdub_version=version("jamdub"),
        run_id=flow_run.get_id() or "local",
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        request=request,
        mode=made.mode,
        inputs=tuple(record_file(Path(path)) for path in input_places(checked.local).values()),
        outputs=tuple(record(PurePosixPath(name).name, data) for name, data in made.files.items()),
        models=checked.models,
        voice=None if made.voice is None else f"{made.voice.name} ({made.voice.origin})",
        consent=None if checked.consent is None else checked.consent.used,
        takes=made.takes,
        duration_s=round(made.duration_s, 4),
        seen_share=made.seen_share,
        frames_rendered=made.frames_rendered,
        frames_skipped=made.frames_skipped,
        stage_wall_s={stage: round(seconds, 2) for stage, seconds in times.wall_s.items()},
        warnings=made.warnings,
    )
    prepare_folders(made.files, place.settings)
    receipt_file.write(receipt.model_dump_json(indent=1).encode())
    for name, data in made.files.items():
        open_file(name, place.settings).write(data)
    return PerformanceResult(
        out=request.out,
        receipt=receipt_file.place,
        files=tuple(made.files),
        warnings=made.warnings,
    )
