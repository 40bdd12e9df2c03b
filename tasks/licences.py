"""Which weights a request needs, and whether it may use them."""

from models.weights.resolve import check_licence, resolve
from schemas.artifact import ModelRef
from schemas.dub import DubRequest
from tasks.workplace import Workplace

ALWAYS = ("deepfilternet3", "whisper-base", "pyannote-segmentation", "speaker-encoder", "kokoro", "silero-vad")
FOR_LIPS = ("mediapipe-face-detection", "mediapipe-face-mesh", "facemesh-basis", "audio-to-mouth")


def needed_models(request: DubRequest, place: Workplace) -> tuple[ModelRef, ...]:
    """Verify that every set of weights the request needs is there, whole and allowed.

    Raises: WeightsError, with the command that gets what is missing.
    """
    names = ALWAYS + (FOR_LIPS if request.lips == "reanimate" else ())
    settings = place.settings
    refs = tuple(resolve(name, settings.cache_dir, settings.models_dir).ref for name in names)
    for ref in refs:
        check_licence(ref, request.commercial)
    return refs
