"""A drawn face put back into a film's own planes. Letters: h and w height and width of a frame as coded."""

from dataclasses import dataclass

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from media.planes import PlanarFrame, Planes, frame_of, planes_of, working_pixel_format
from models.facemesh.warp import Region
from models.liveportrait.crop import mask_in_frame, pasted
from schemas.media import VideoStream


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
class Drawn:
    """A face as it was drawn.

    Attributes:
        crop: [512, 512, 3] uint8.
        mask: [512, 512] uint8: how much of it is shown.
        back: [3, 3] from the crop to coded pixels.
        share: Of the mask, 0 to 1, over the fades.
    """

    crop: np.ndarray
    mask: np.ndarray
    back: np.ndarray
    share: float = 1.0


def put_back(drawn: Drawn, frame: PlanarFrame, picture: np.ndarray, region: Region, colours: Colours) -> Planes:
    """The region's own planes, changed by what pasting changes in RGB: where the mask is nothing, not a bit.

    Args:
        picture: The frame in RGB [h, w, 3].
    """
    inside, back = _cut(picture, region), drawn.back.copy()
    back[:2, 2] -= region.x, region.y
    mask = np.float32(drawn.share) * mask_in_frame(drawn.mask, back, region.width, region.height)
    before, after = colours.planes(inside), colours.planes(pasted(inside, drawn.crop, mask, back))
    shifts = ((0, 0), frame.chroma_shift, frame.chroma_shift)
    y, u, v = (
        _added(_cut(own, region, shift), old, new, _reduced(mask > 0, shift))
        for own, old, new, shift in zip(frame.planes, before, after, shifts, strict=True)
    )
    return y, u, v


def _cut(pixels: np.ndarray, region: Region, shift: tuple[int, int] = (0, 0)) -> np.ndarray:
    """A region of a plane or picture that is subsampled by 2**shift (x, y)."""
    (x, width), (y, height) = ((region.x, region.width), (region.y, region.height))
    rows = slice(y >> shift[1], (y + height) >> shift[1])
    return np.ascontiguousarray(pixels[rows, x >> shift[0] : (x + width) >> shift[0]])


def _reduced(is_shown: np.ndarray, shift: tuple[int, int]) -> np.ndarray:
    """Which samples of a plane, subsampled by 2**shift (x, y), have a pixel that is shown."""
    height, width = is_shown.shape
    blocks = is_shown.reshape(height >> shift[1], 1 << shift[1], width >> shift[0], 1 << shift[0])
    return np.asarray(blocks.any(axis=(1, 3)))


def _added(own: np.ndarray, before: np.ndarray, after: np.ndarray, is_shown: np.ndarray) -> np.ndarray:
    """A plane plus the difference of two others where it is shown, within its range.

    Chroma is filtered from pixels beyond its own: without `is_shown` a few samples outside of the mask would change.
    """
    highest = 1023 if own.dtype == np.uint16 else 255
    moved_by = np.where(is_shown, after.astype(np.int32) - before, 0)
    return np.asarray(np.clip(own + moved_by, 0, highest), own.dtype)
