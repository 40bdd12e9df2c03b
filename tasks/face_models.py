"""Which face model a run uses, and the model itself, loaded once."""

from functools import lru_cache
from pathlib import Path

import torch

from models.face_model import FaceModel
from models.facemesh.face_model import FaceMeshModel
from models.facemesh.space import space
from models.jamflow.checkpoint import read_description
from models.liveportrait.cost import frame_cpu_s
from models.liveportrait.face_model import LivePortraitModel
from models.liveportrait.runner import Runner
from models.liveportrait.space import rows_of
from models.liveportrait.weights import check_files, load_liveportrait
from models.weights.resolve import jamflow_folder, liveportrait
from schemas.motion import FaceModelRef
from tasks.workplace import Workplace


def packaged_face_model() -> FaceModelRef:
    """The face mesh."""
    return FaceModelRef(space=space())


def face_model_of_engine(place: Workplace) -> FaceModelRef:
    """The one whose space engine `jamflow`'s weights were trained in; nothing is loaded.

    Raises:
        WeightsError: It is LivePortrait, and its weights are missing or altered.
        RequestError: It is a space that nothing here draws.
    """
    models_dir = place.settings.models_dir
    trained_in = read_description(jamflow_folder(models_dir)).motion_space
    if trained_in == space():
        return packaged_face_model()
    rows_of(trained_in)
    found = liveportrait(models_dir)
    check_files(found.path)
    return FaceModelRef(space=trained_in, weights=found.ref)


def drawing_cpu_s(ref: FaceModelRef) -> float | None:
    """CPU seconds of each frame that is drawn, where that is long: by LivePortrait without a GPU; None elsewhere."""
    return None if ref.weights is None or torch.cuda.is_available() else frame_cpu_s()


def open_face_model(place: Workplace, ref: FaceModelRef) -> FaceModel:
    """Load it, once for all lines."""
    if ref.weights is None:
        return FaceMeshModel()
    torch.set_num_threads(place.settings.threads)
    folder = liveportrait(place.settings.models_dir).path
    return LivePortraitModel(_runner(folder, ref.weights.sha256), ref.space)


@lru_cache(maxsize=1)
def _runner(folder: Path, _sha256: str) -> Runner:
    if torch.cuda.is_available():
        return Runner(load_liveportrait(folder), torch.device("cuda"), torch.float16)
    return Runner(load_liveportrait(folder), torch.device("cpu"))
