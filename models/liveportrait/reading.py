"""What faces of a film do: one pass over its picture, crops of all tracks through the motion extractor in batches.

Letters: k frames of a track.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch

from media.decoder import video_of
from media.planes import read_planes
from models.face_model import Film
from models.facemesh.tracks import TrackData
from models.liveportrait.crop import looked_at
from models.liveportrait.film import poses
from models.liveportrait.motion_extractor import KEYPOINTS, MotionExtractor
from models.liveportrait.native import Colours
from models.liveportrait.pictures import as_input
from models.liveportrait.pose import FaceMotion, face_motion
from models.liveportrait.runner import BATCH
from schemas.progress import Advance

Place = tuple[str, int]
"""A track's name, and a row of it."""
Read = Callable[[np.ndarray], FaceMotion]
"""What the faces in crops [b, 256, 256, 3] uint8 do."""


def read_with(network: MotionExtractor, device: torch.device) -> Read:
    """The motion extractor by itself, at work."""
    network = network.to(device)

    @torch.inference_mode()
    def read(crops: np.ndarray) -> FaceMotion:
        return face_motion(network(as_input(crops, device)))

    return read


def track_expressions(
    read: Read, film: Film, tracks: Mapping[str, TrackData], on_progress: Advance | None = None
) -> dict[str, np.ndarray]:
    """The expressions [k, 21, 3] of every track; NaN in frames that do not decode."""
    found = {name: np.full((len(track.frames), KEYPOINTS, 3), np.nan) for name, track in tracks.items()}
    waiting: list[tuple[Place, np.ndarray]] = []
    for place, crop in _crops(film, tracks, on_progress):
        waiting.append((place, crop))
        if len(waiting) == BATCH:
            _look(read, waiting, found)
            waiting.clear()
    _look(read, waiting, found)
    return found


def _crops(
    film: Film, tracks: Mapping[str, TrackData], on_progress: Advance | None
) -> Iterator[tuple[Place, np.ndarray]]:
    video = video_of(film.info, film.path)
    colours = Colours(video)
    where: dict[int, list[tuple[Place, np.ndarray]]] = {}
    for name, track in tracks.items():
        for row, (number, pose) in enumerate(zip(track.frames.tolist(), poses(track.landmarks, video), strict=True)):
            where.setdefault(number, []).append(((name, row), pose.to_crop))
    for done, frame in enumerate(read_planes(film.path, film.info, sorted(where)), start=1):
        picture = colours.rgb(frame.planes)
        for place, matrix in where[frame.index]:
            yield place, looked_at(picture, matrix)
        if on_progress:
            on_progress(done, len(where))


def _look(read: Read, waiting: list[tuple[Place, np.ndarray]], found: dict[str, np.ndarray]) -> None:
    if waiting:
        seen = read(np.stack([crop for _, crop in waiting])).expression.cpu().numpy()
        for ((name, row), _), expression in zip(waiting, seen, strict=True):
            found[name][row] = expression
