"""Read and write native YUV planes, so that untouched pixels never pass through RGB."""

import errno
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.video.plane
import numpy as np

from media.decoder import numbered_frames, open_media, read_clock, video_of
from media.tools import input_name
from schemas.errors import JamdubError, MediaError, StorageError
from schemas.media import MediaInfo, VideoStream

Planes = tuple[np.ndarray, np.ndarray, np.ndarray]

_CHROMA_SHIFTS = {"yuv420p": (1, 1), "yuv422p": (1, 0), "yuv444p": (0, 0)}
WORKING_FORMATS = frozenset([*_CHROMA_SHIFTS, *(name + "10le" for name in _CHROMA_SHIFTS)])
_LOSSLESS = {"level": "3", "g": "1", "flags": "+bitexact"}
_NARROWEST_SLICED_PX = 8
_PATCH_TIME_BASE = Fraction(1, 1000)  # Matroska's clock; the frames' real times are in the patch


@dataclass(frozen=True)
class PlanarFrame:
    """One frame as coded: Y at full size, U and V by chroma subsampling; uint8, or uint16 with 10 bits."""

    index: int
    time_s: float
    planes: Planes

    @property
    def chroma_shift(self) -> tuple[int, int]:
        """Base-2 logarithm of the chroma subsampling, (x, y)."""
        (height, width), (chroma_height, chroma_width) = self.planes[0].shape, self.planes[1].shape
        return int(chroma_width < width), int(chroma_height < height)


def working_pixel_format(video: VideoStream) -> str:
    """Name the planar format that the picture is worked on and encoded in: its own where possible.

    Raises: MediaError where the picture's format is unknown.
    """
    name = video.pixel_format.replace("yuvj", "yuv")
    if name not in WORKING_FORMATS:
        name = _nearest_working(name)
    if (video.width % 2 and "444" not in name) or (video.height % 2 and "420" in name):
        name = name.replace("420", "444").replace("422", "444")  # x264 takes odd sizes in 4:4:4 only
    return name


def _nearest_working(name: str) -> str:
    try:
        form = av.VideoFormat(name)
    except ValueError as error:
        raise MediaError(f"pixel format {name} is not known: convert the video to H.264 first") from error
    depth = "10le" if max(component.bits for component in form.components) > 8 else ""
    if form.is_rgb or form.has_palette:
        return "yuv444p" + depth
    chroma = (form.chroma_width(16), form.chroma_height(16)) if len(form.components) > 2 else (8, 8)
    return {(16, 16): "yuv444p", (8, 16): "yuv422p"}.get(chroma, "yuv420p") + depth


def chroma_shift_of(pixel_format: str) -> tuple[int, int]:
    """Base-2 logarithm of the chroma subsampling of a working format, (x, y)."""
    return _CHROMA_SHIFTS[pixel_format.removesuffix("10le")]


def read_planes(path: Path, info: MediaInfo, frames: Sequence[int] | None = None) -> Iterator[PlanarFrame]:
    """Decode frames in coded orientation, as copies that may be written to.

    Numbers agree with `media.frames.frame_times_s`. Damaged frames are left out.

    Args:
        frames: Increasing frame numbers to read; None reads all. Far gaps are crossed by seeking.

    Raises: MediaError where there is no readable picture.
    """
    pixel_format = working_pixel_format(video_of(info, path))
    clock = read_clock(path, info)
    times_s = clock.times_s
    wanted = range(len(clock.pts)) if frames is None else frames
    for first, last, run in _runs(wanted):
        for number, frame in numbered_frames(path, info, clock, first):
            if number in run:
                yield PlanarFrame(number, float(times_s[number]), planes_of(frame, pixel_format))
            if number >= last:
                break


def write_patch_video(
    destination: Path, frames: Iterable[Planes], *, pixel_format: str, width: int, height: int
) -> None:
    """Write crops of planes losslessly (FFV1 in Matroska); the same frames give the same bytes.

    Raises: StorageError where it cannot be written.
    """
    if pixel_format not in WORKING_FORMATS or width % 2 or height % 2:
        raise JamdubError(f"a patch of {width}x{height} {pixel_format} cannot be stored: sizes must be even")
    try:
        _write_ffv1(destination, frames, pixel_format, width, height)
    except av.FFmpegError as error:
        remedy = "free some space" if error.errno == errno.ENOSPC else "please report this"
        raise StorageError(f"{destination} cannot be written ({error.strerror}): {remedy}") from error


def _write_ffv1(destination: Path, frames: Iterable[Planes], pixel_format: str, width: int, height: int) -> None:
    with av.open(input_name(destination), "w", format="matroska", options={"fflags": "+bitexact"}) as container:
        # ffv1 cuts no picture narrower than this, and refuses larger ones that are not cut.
        slices = "1" if min(width, height) < _NARROWEST_SLICED_PX else "4"
        stream = container.add_stream("ffv1", rate=25, options={**_LOSSLESS, "slices": slices})
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        stream.codec_context.time_base = _PATCH_TIME_BASE
        for number, planes in enumerate(frames):
            frame = frame_of(planes, pixel_format)
            frame.pts, frame.time_base = number * 40, _PATCH_TIME_BASE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def read_patch_video(path: Path) -> Iterator[Planes]:
    """Read back what `write_patch_video` wrote, bit for bit. Raises: MediaError where it is damaged."""
    with open_media(path) as container:
        for frame in container.decode(video=0):
            yield planes_of(frame, frame.format.name)


def planes_of(frame: av.VideoFrame, pixel_format: str) -> Planes:
    """Copy a decoded frame's planes, converted only where its format is another one."""
    if frame.format.name.replace("yuvj", "yuv") != pixel_format:
        frame = frame.reformat(format=pixel_format)
    y, u, v = (_view(plane, pixel_format).copy() for plane in frame.planes)
    return y, u, v


def frame_of(planes: Planes, pixel_format: str) -> av.VideoFrame:
    """Build a frame that holds a copy of the planes."""
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, pixel_format)
    for plane, pixels in zip(frame.planes, planes, strict=True):
        _view(plane, pixel_format)[...] = pixels
    return frame


def _view(plane: av.video.plane.VideoPlane, pixel_format: str) -> np.ndarray:
    dtype = np.dtype("<u2") if pixel_format.endswith("10le") else np.dtype(np.uint8)
    rows = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, plane.line_size // dtype.itemsize)
    return rows[:, : plane.width]


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int, frozenset[int] | range]]:
    """Split frame numbers where seeking saves work: at gaps of 250 frames or more."""
    if isinstance(numbers, range):
        if numbers:
            yield numbers[0], numbers[-1], numbers
        return
    start = 0
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or numbers[end] - numbers[end - 1] >= 250:
            run = numbers[start:end]
            yield run[0], run[-1], frozenset(run)
            start = end
