"""Still pictures read for animation, and the frames drawn from them written as video."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from media.tools import input_name
from schemas.errors import JamdubError, MediaError, RequestError, StorageError

_LONGEST_SIDE_PX = 1280
_MOST_PIXELS = 80_000_000  # 320 MB once decoded
# Of Pillow's sixty formats, those of photographs. (It hands EPS to Ghostscript, for one.)
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
_TO_8_BITS = 257  # 65535 becomes 255
_OPTIONS = {"crf": "16", "preset": "veryfast", "threads": "2"}


def read_picture(path: Path, max_side_px: int = _LONGEST_SIDE_PX) -> np.ndarray:
    """Read a picture upright as RGB [h, w, 3] uint8 with even sides, scaled down to `max_side_px`.

    16 bits become 8; what is transparent becomes white.

    Raises: RequestError where there is no such file; MediaError where it is no picture.
    """
    if not path.is_file():
        raise RequestError(f"{path} does not exist or is no file: check the path of the picture")
    try:
        with Image.open(path, formats=_FORMATS) as opened:
            _check_size(path, opened)
            picture = _as_rgb(ImageOps.exif_transpose(opened))
    except Image.DecompressionBombError as error:
        raise MediaError(f"{path} has more than {_MOST_PIXELS} pixels: scale it down") from error
    except (UnidentifiedImageError, OSError) as error:
        raise MediaError(f"{path} cannot be read as a picture: give a JPEG, PNG or WebP") from error
    picture.thumbnail((max_side_px, max_side_px))
    rgb = np.asarray(picture)
    height, width = (side // 2 * 2 for side in rgb.shape[:2])  # 4:2:0 halves both sides
    if min(height, width) < 2:
        raise MediaError(f"{path} is {rgb.shape[1]}x{rgb.shape[0]} pixels: give a larger picture")
    return np.ascontiguousarray(rgb[:height, :width])


def _check_size(path: Path, opened: Image.Image) -> None:
    """Only the header has been read so far."""
    if opened.width * opened.height > _MOST_PIXELS:
        raise MediaError(f"{path} has more than {_MOST_PIXELS} pixels: scale it down")


def _as_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # grey of 16 bits, which Pillow would cut off at 255
        return Image.fromarray(np.asarray(np.asarray(picture) / _TO_8_BITS, np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        own = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", own.size, "white"), own).convert("RGB")
    return picture.convert("RGB")


def write_pictures(destination: Path, pictures: Iterator[np.ndarray], fps: int) -> int:
    """Encode RGB pictures [h, w, 3] as H.264 in mp4, without sound; returns how many.

    Raises: JamdubError where there are none; StorageError where the file cannot be written.
    """
    first = next(pictures, None)
    if first is None:
        raise JamdubError("there are no pictures to write as video")
    count = 0
    try:
        with av.open(input_name(destination), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
            stream = container.add_stream("libx264", rate=fps, options=_OPTIONS)
            stream.height, stream.width = first.shape[:2]
            stream.pix_fmt = "yuv420p"
            picture: np.ndarray | None = first
            while picture is not None:
                planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
                count += 1
                picture = next(pictures, None)
            container.mux(stream.encode(None))
    except (av.FFmpegError, OSError) as error:
        destination.unlink(missing_ok=True)
        raise StorageError(f"{destination} cannot be written ({error}): free some space") from error
    return count
