"""A face of a film drawn with another mouth, frame by frame: native planes in, a patch of the changed rectangle out.

Letters: k frames, m mouth numbers, h and w height and width of a frame as coded.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from media.decoder import video_of
from media.frames import to_coded_px
from media.planes import PlanarFrame, Planes, read_planes
from models.facemesh.plan import region_around
from models.facemesh.warp import Region
from models.liveportrait.ahead import ahead
from models.liveportrait.crop import CROP_PX, looked_at, mesh_to_crop, moved, soft_mask
from models.liveportrait.native import Colours, Drawn, put_back
from models.liveportrait.runner import Runner, with_mouth
from schemas.media import MediaInfo, VideoStream


@dataclass(frozen=True)
class Pose:
    """Where a face is in one frame: the matrix [3, 3] from coded pixels to its crop."""

    to_crop: np.ndarray

    @property
    def back(self) -> np.ndarray:
        """From the crop to coded pixels."""
        return np.asarray(np.linalg.inv(self.to_crop))

    @property
    def corners(self) -> np.ndarray:
        """Of the crop, in coded pixels [4, 2]."""
        return moved(np.array([[0, 0], [CROP_PX, 0], [CROP_PX, CROP_PX], [0, CROP_PX]]), self.back)


def poses(landmarks: np.ndarray, video: VideoStream) -> list[Pose]:
    """Of mesh landmarks [k, 478, 3] in upright pixels."""
    return [Pose(mesh_to_crop(to_coded_px(one[:, :2], video))) for one in landmarks]


def region_of(found: Sequence[Pose], video: VideoStream) -> Region:
    """The even-aligned rectangle of a frame in which any of the crops lies."""
    return region_around(np.stack([pose.corners for pose in found]), 0.0, video.width, video.height)


@dataclass(frozen=True)
class _Batch:
    """Frames with their pictures, and what the networks look at."""

    frames: Sequence[PlanarFrame]
    pictures: Sequence[np.ndarray]
    crops: np.ndarray


@dataclass(frozen=True)
class Asked:
    """What a film's face shall show.

    Attributes:
        numbers: [k] increasing source frame numbers.
        poses: [k] where the face is in them.
        mouths: [k, m] to write into the face's expression.
        shares: [k] how much of the drawn face is shown: 0 to 1 over the fades.
    """

    numbers: Sequence[int]
    poses: Sequence[Pose]
    mouths: np.ndarray
    shares: np.ndarray


_Place = tuple[Pose, np.ndarray, float]
"""Where the face is in a frame, its mouth, and how much of it is shown."""


class FilmArtist:
    """Draws one face of a film; of its frames two batches are held at a time: one is drawn, the next is decoded."""

    def __init__(self, runner: Runner, source: Path, info: MediaInfo, rows: Sequence[int]) -> None:
        self._runner, self._source, self._info, self._rows = runner, source, info, tuple(rows)
        self._colours, self._mask = Colours(video_of(info, source)), soft_mask()

    def draw(self, asked: Asked, region: Region) -> Generator[tuple[int, Planes]]:
        """Yield (frame number, planes of `region`) of the frames that decode, in order."""
        wanted = zip(asked.poses, asked.mouths, asked.shares.tolist(), strict=True)
        places = dict(zip(asked.numbers, wanted, strict=True))
        for batch in ahead(self._batches(places), depth=1):
            yield from self._draw_batch(batch, [places[frame.index] for frame in batch.frames], region)

    def _batches(self, places: Mapping[int, _Place]) -> Generator[_Batch]:
        decoded = read_planes(self._source, self._info, list(places))
        while frames := list(islice(decoded, self._runner.batch)):
            pictures = [self._colours.rgb(frame.planes) for frame in frames]
            matrices = [places[frame.index][0].to_crop for frame in frames]
            crops = [looked_at(own, matrix) for own, matrix in zip(pictures, matrices, strict=True)]
            yield _Batch(frames, pictures, np.stack(crops))

    def _draw_batch(self, batch: _Batch, wanted: Sequence[_Place], region: Region) -> Generator[tuple[int, Planes]]:
        seen = self._runner.see(batch.crops)
        mouths = torch.from_numpy(np.stack([mouth for _, mouth, _ in wanted]))
        drawn = self._runner.draw(seen, with_mouth(seen.motion, mouths, self._rows))
        for frame, picture, (pose, _, share), made in zip(batch.frames, batch.pictures, wanted, drawn, strict=True):
            yield (
                frame.index,
                put_back(Drawn(made, self._mask, pose.back, share), frame, picture, region, self._colours),
            )
