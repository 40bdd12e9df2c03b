"""What a corpus's faces are read into: the packaged face mesh's numbers, or LivePortrait's. Letters: n frames."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from media.frames import frame_times_s
from media.probe import probe
from media.tools import find_tools
from models.face_model import Film
from models.facemesh.space import encode
from models.facemesh.space import space as face_mesh_space
from models.facemesh.tracks import TrackData
from models.liveportrait.reading import Read, read_with, track_expressions
from models.liveportrait.space import rows_of, split
from models.liveportrait.weights import load_motion
from models.weights.known import AUDIO_TO_MOUTH
from schemas.motion import MotionSpace

_PIXEL_CENTRE = np.float32(0.5)


@dataclass(frozen=True)
class FaceReading:
    """A motion space, and what reads faces into it.

    Attributes:
        weights: LivePortrait's folder; None: the face mesh.
        sha256: Of those weights: other ones, other features.
        imagines: Whether sound without a film is given the mouth that the audio-to-mouth regressor expects of it.
    """

    space: MotionSpace
    weights: Path | None = None
    sha256: str = ""
    imagines: bool = False

    def said(self, *, is_film: bool) -> list[str]:
        """What a content address says of it; nothing of the face mesh, which is part of the features' version."""
        read = [] if self.weights is None else [self.space.model_dump_json(), self.sha256]
        return [*read, AUDIO_TO_MOUTH.sha256] if self.imagines and not is_film else read

    def read(self, film: Film, points: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Mouth and rest in all frames of a film, whose mesh is [n, 478, 3]; None where a frame does not decode."""
        if self.weights is None:
            encoded = encode(points)
            return encoded.mouth, encoded.rest
        found = clip_expressions(_reader(self.weights, self.sha256), film, points)
        return None if np.isnan(found).any() else split(found, rows_of(self.space))


def face_mesh_reading(*, imagines: bool = False) -> FaceReading:
    """The packaged one, the only space that the regressor knows."""
    return FaceReading(face_mesh_space(), imagines=imagines)


def film_of(path: Path) -> Film:
    """A corpus's film, and when each of its frames is shown. Raises: MediaError, where it has no readable picture."""
    info = probe(path, find_tools())
    return Film(path, info, frame_times_s(path, info))


def clip_expressions(read: Read, film: Film, points: np.ndarray) -> np.ndarray:
    """LivePortrait's expressions [n, 21, 3] of a film's face of mesh [n, 478, 3]; NaN where a frame does not decode."""
    frames = np.arange(len(points), dtype=np.int32)
    track = TrackData(frames, points - _PIXEL_CENTRE, np.ones(len(points), np.float32))
    return track_expressions(read, film, {"face": track})["face"]


@lru_cache(maxsize=1)
def _reader(folder: Path, _sha256: str) -> Read:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return read_with(load_motion(folder), device)
