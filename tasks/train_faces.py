"""Which motion space a training is in, and what reads its corpora's faces."""

from models.corpus.faces import FaceReading, face_mesh_reading
from models.facemesh.space import space as face_mesh_space
from models.liveportrait.space import rows_of
from models.liveportrait.weights import check_files
from models.motion import read_space
from models.weights.resolve import liveportrait
from schemas.errors import RequestError
from schemas.motion import MotionSpace
from schemas.settings import Settings
from schemas.training import Features


def space_of(features: Features) -> MotionSpace:
    """The space that the features' motion is written in.

    Raises:
        RequestError: The file that describes it cannot be read.
    """
    return face_mesh_space() if features.motion_space is None else read_space(features.motion_space)


def reading_of(features: Features) -> FaceReading:
    """What reads films into that space.

    Raises:
        RequestError: Nothing here does.
        WeightsError: LivePortrait would, and its weights are missing or altered.
    """
    space = space_of(features)
    if space == face_mesh_space():
        return face_mesh_reading(imagines=features.imagines)
    if features.imagines:
        raise RequestError(
            f"features.imagines is true, and mouths are imagined in the space {face_mesh_space().name!r} alone, not in "
            f"{space.name!r}: set it to false"
        )
    rows_of(space)
    found = liveportrait(Settings().models_dir)
    check_files(found.path)
    return FaceReading(space, found.path, found.ref.sha256)
