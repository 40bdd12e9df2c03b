"""Which weights a request needs, and whether it may use them."""

from models.weights.known import JAMFLOW_TINY
from models.weights.resolve import check_licence, jamflow, resolve
from schemas.artifact import ModelRef
from schemas.dub import DubRequest
from schemas.motion import FaceModelRef
from tasks.workplace import Workplace

HEARING = ("deepfilternet3", "whisper-base", "pyannote-segmentation", "speaker-encoder", "silero-vad")
FACES = ("mediapipe-face-detection", "mediapipe-face-mesh", "facemesh-basis")
CASCADE, CASCADE_LIPS = ("kokoro",), ("audio-to-mouth",)
JAMFLOW = (JAMFLOW_TINY, "audio-to-mouth")


def needed_models(request: DubRequest, faces_by: FaceModelRef, place: Workplace) -> tuple[ModelRef, ...]:
    """Verify that every set of weights the request needs is there, whole and allowed.

    Raises: WeightsError, with the command that gets what is missing.
    """
    names = HEARING + (FACES if request.sees_faces else ())
    if request.engine == "jamflow":
        return (*allowed((*names, *JAMFLOW), request.commercial, place), *drawing(faces_by, request.commercial))
    return allowed(
        (*names, *CASCADE, *(CASCADE_LIPS if request.lips == "reanimate" else ())), request.commercial, place
    )


def allowed(names: tuple[str, ...], commercial: bool, place: Workplace) -> tuple[ModelRef, ...]:
    """Verify weights by name. Raises: WeightsError, as above."""
    refs = tuple(_resolved(name, place) for name in names)
    for ref in refs:
        check_licence(ref, commercial)
    return refs


def drawing(faces_by: FaceModelRef, commercial: bool) -> tuple[ModelRef, ...]:
    """The weights of a face model, where it has any beside the packaged ones. Raises: WeightsError, as above."""
    if faces_by.weights is None:
        return ()
    check_licence(faces_by.weights, commercial)
    return (faces_by.weights,)


def engine_of(models: tuple[ModelRef, ...]) -> ModelRef:
    """Engine `jamflow` among verified weights."""
    return next(ref for ref in models if ref.name == JAMFLOW_TINY)


def _resolved(name: str, place: Workplace) -> ModelRef:
    settings = place.settings
    if name == JAMFLOW_TINY:
        return jamflow(settings.models_dir).ref
    return resolve(name, settings.cache_dir, settings.models_dir).ref
