"""A face of a film drawn with another mouth, frame by frame: native planes in, a patch of the changed rectangle out.

Letters: k frames, m mouth numbers, h and w height and width of a frame as coded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import numpy as np
import torch
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from media.decoder import video_of
from media.frames import to_coded_px
from media.planes import PlanarFrame, Planes, frame_of, planes_of, read_planes, working_pixel_format
from models.facemesh.plan import region_around
from models.facemesh.warp import Region
from models.liveportrait.crop import (
    CROP_PX,
    looked_at,
    mask_in_frame,
    mesh_to_crop,
    moved,
    pasted,
    soft_mask,
)
from models.liveportrait.runner import BATCH, Runner, with_mouth
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


class Colours:
    """Between a film's planes and RGB, both ways by the same matrix."""

    def __init__(self, video: VideoStream) -> None:
        self.pixel_format = working_pixel_format(video)
        usual = Colorspace.ITU709 if video.height >= _HD_HEIGHT else Colorspace.ITU601
        self._space = _SPACES.get(video.colour_matrix or "", usual)
        self._range = ColorRange.JPEG if video.colour_range == "pc" else ColorRange.MPEG

    def rgb(self, planes: Planes) -> np.ndarray:
        """Planes as a picture [h, w, 3] uint8."""
        frame = frame_of(planes, self.pixel_format).reformat(
            format="rgb24", src_colorspace=self._space, src_color_range=self._range, interpolation=_ACCURATE
        )
        return frame.to_ndarray()

    def planes(self, rgb: np.ndarray) -> Planes:
        """A picture [h, w, 3] uint8 as planes."""
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
            format=self.pixel_format,
            dst_colorspace=self._space,
            dst_color_range=self._range,
            interpolation=_ACCURATE,
        )
        return planes_of(frame, self.pixel_format)


_HD_HEIGHT = 720
_ACCURATE = Interpolation.BILINEAR | Interpolation.ACCURATE_RND
_SPACES = {
    "bt709": Colorspace.ITU709,
    "smpte170m": Colorspace.ITU601,
    "bt470bg": Colorspace.ITU601,
    "bt2020nc": Colorspace.BT2020,
    "smpte240m": Colorspace.SMPTE240M,
    "fcc": Colorspace.FCC,
}


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


class FilmArtist:
    """Draws one face of a film; of its frames a batch is held at a time."""

    def __init__(self, runner: Runner, source: Path, info: MediaInfo, rows: Sequence[int]) -> None:
        self._runner, self._source, self._info, self._rows = runner, source, info, tuple(rows)
        self._colours, self._mask = Colours(video_of(info, source)), soft_mask()

    def draw(self, asked: Asked, region: Region) -> Iterator[tuple[int, Planes]]:
        """Yield (frame number, planes of `region`) of the frames that decode, in order."""
        wanted = zip(asked.poses, asked.mouths, asked.shares.tolist(), strict=True)
        places = dict(zip(asked.numbers, wanted, strict=True))
        frames = read_planes(self._source, self._info, list(asked.numbers))
        while batch := list(islice(frames, BATCH)):
            yield from self._draw_batch(batch, [places[frame.index] for frame in batch], region)

    def _draw_batch(
        self, frames: Sequence[PlanarFrame], wanted: Sequence[tuple[Pose, np.ndarray, float]], region: Region
    ) -> Iterator[tuple[int, Planes]]:
        pictures = [self._colours.rgb(frame.planes) for frame in frames]
        crops = [looked_at(picture, pose.to_crop) for picture, (pose, _, _) in zip(pictures, wanted, strict=True)]
        seen = self._runner.see(np.stack(crops))
        mouths = torch.from_numpy(np.stack([mouth for _, mouth, _ in wanted]))
        drawn = self._runner.draw(seen, with_mouth(seen.motion, mouths, self._rows))
        for frame, picture, (pose, _, share), made in zip(frames, pictures, wanted, drawn, strict=True):
            yield frame.index, self._paste(frame, picture, pose, share, made, region)

    def _paste(
        self, frame: PlanarFrame, picture: np.ndarray, pose: Pose, share: float, made: np.ndarray, region: Region
    ) -> Planes:
        """The region's own planes, changed by what pasting changes: where the mask is nothing, not a bit."""
        inside, back = _cut(picture, region), pose.back
        back[:2, 2] -= region.x, region.y
        mask = np.float32(share) * mask_in_frame(self._mask, back, region.width, region.height)
        before = self._colours.planes(inside)
        after = self._colours.planes(pasted(inside, made, mask, back))
        shifts = ((0, 0), frame.chroma_shift, frame.chroma_shift)
        own = (_cut(plane, region, shift) for plane, shift in zip(frame.planes, shifts, strict=True))
        y, u, v = (_added(*parts) for parts in zip(own, before, after, strict=True))
        return y, u, v


def _cut(pixels: np.ndarray, region: Region, shift: tuple[int, int] = (0, 0)) -> np.ndarray:
    """A region of a plane or picture that is subsampled by 2**shift (x, y)."""
    (x, width), (y, height) = ((region.x, region.width), (region.y, region.height))
    rows = slice(y >> shift[1], (y + height) >> shift[1])
    return np.ascontiguousarray(pixels[rows, x >> shift[0] : (x + width) >> shift[0]])


def _added(own: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """A plane plus the difference of two others, within its range."""
    highest = 1023 if own.dtype == np.uint16 else 255
    moved_by = after.astype(np.int32) - before
    return np.asarray(np.clip(own + moved_by, 0, highest), own.dtype)
