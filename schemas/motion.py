"""What a face does: the space its motion is written in, who is seen where, and whose face speaks."""

from schemas.artifact import ArtifactRef, ModelRef
from schemas.media import TimeSpan
from schemas.value import Value


class MotionSpace(Value):
    """The coordinates of facial motion (architecture: the first seam).

    `mouth_dims` and `rest_dims` name each number; `mean` and `std` are of [mouth; rest], for z-scoring.
    """

    name: str
    fps: float
    mouth_dims: tuple[str, ...]
    rest_dims: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]


class FaceModelRef(Value):
    """What reads and draws faces in a run (models.face_model).

    `weights`: of LivePortrait; None: the packaged face mesh.
    """

    space: MotionSpace
    weights: ModelRef | None = None


class FaceTrack(Value):
    """One face followed through one shot. Its landmarks lie in the `Faces.tracks_ref` file under `id`."""

    id: str
    shot: int
    span: TimeSpan
    frames: int
    visible_share: float
    median_face_px: float


class Faces(Value):
    """All faces of a video; the arrays lie in the store (see models.facemesh.tracks)."""

    shots: tuple[TimeSpan, ...]
    tracks: tuple[FaceTrack, ...]
    tracks_ref: ArtifactRef
    warnings: tuple[str, ...] = ()


class LineFaces(Value):
    """The tracks that show the speaker of a line, one for each shot it runs through; empty: off-screen."""

    line_id: str
    track_ids: tuple[str, ...]
    score: float
