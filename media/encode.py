"""Encode the picture once more with re-animated patches pasted in, frame times and colour tags kept."""

import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.video.frame
import av.video.stream

from media.decoder import FrameClock, decoded_frames, numbered_frames, open_media, picture_stream, read_clock, video_of
from media.planes import Planes, chroma_shift_of, frame_of, planes_of, read_patch_video, working_pixel_format
from media.tools import input_name
from schemas.dub import Patch
from schemas.errors import JamdubError, MediaError, StorageError, ToolError
from schemas.media import MediaInfo

_THREADS = "2"


@dataclass(frozen=True)
class ColourTags:
    """Code points of ITU-T H.273, and the shape of a pixel."""

    primaries: int
    transfer: int
    matrix: int
    range: int
    sample_aspect_ratio: Fraction | None


def encode_picture(
    source: Path,
    info: MediaInfo,
    patches: Sequence[tuple[Patch, Path]],
    destination: Path,
    *,
    crf: int = 16,
    preset: str = "veryfast",
) -> int:
    """Decode every frame natively, paste the patches, encode once as H.264, and return the frame count.

    The mp4 holds the picture alone. Its time stamps are the source's, in the source's time base, counted
    from the container's start. Bit depth, chroma subsampling (`working_pixel_format`), pixel shape and
    colour tags are the source's; rotation is left to the mux. Frames are progressive. Memory is constant.

    Args:
        patches: With the lossless video of each (`media.planes.write_patch_video`), coded pixels.

    Raises: MediaError where a frame of the source does not decode; StorageError where the disk is full;
        ToolError where the encoder refuses; JamdubError where a patch does not fit.
    """
    clock = read_clock(source, info)
    try:
        count = _encode_frames(source, info, clock, patches, (destination, crf, preset))
        if count != len(clock.pts):
            raise MediaError(
                f"{source}: frame {count} of {len(clock.pts)} does not decode: repair the file or keep the lips"
            )
    except av.FFmpegError as error:
        destination.unlink(missing_ok=True)
        if error.errno == errno.ENOSPC:
            raise StorageError(f"the disk is full while writing to {destination.parent}: free some space") from error
        raise ToolError(f"{source}: its picture cannot be encoded to {destination} ({error.strerror})") from error
    except JamdubError:
        destination.unlink(missing_ok=True)
        raise
    return count


def _encode_frames(
    source: Path,
    info: MediaInfo,
    clock: FrameClock,
    patches: Sequence[tuple[Patch, Path]],
    target: tuple[Path, int, str],
) -> int:
    """Write (destination, crf, preset) frame by frame; stop at the first that is missing."""
    destination, crf, preset = target
    queue = _PatchQueue(patches, working_pixel_format(video_of(info, source)))
    tags, count = _colour_tags(source, info), 0
    with av.open(input_name(destination), "w", format="mp4", options=_mux_options(clock)) as container:
        stream = _add_stream(container, info, clock, tags, (crf, preset))
        for number, frame in numbered_frames(source, info, clock):
            if number != count:
                break
            ready = queue.paste(number, frame)
            _stamp(ready, number, clock)
            container.mux(stream.encode(ready))
            count += 1
        container.mux(stream.encode(None))
    return count


class _PatchQueue:
    """Patches waiting for their frames; each patch video is read in step with the source."""

    def __init__(self, patches: Sequence[tuple[Patch, Path]], pixel_format: str) -> None:
        self._format = pixel_format
        self._shift = chroma_shift_of(pixel_format)
        self._waiting = sorted((pair for pair in patches if pair[0].frames), key=lambda pair: pair[0].frames[0])
        self._open: list[tuple[Patch, Iterator[tuple[int, Planes]]]] = []
        for patch, _ in self._waiting:
            _check_aligned(patch, self._shift)

    def paste(self, number: int, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the frame to encode: itself where no patch touches it, else a patched copy."""
        while self._waiting and self._waiting[0][0].frames[0] <= number:
            patch, path = self._waiting.pop(0)
            self._open.append((patch, _numbered_crops(patch, path)))
        touching = [(patch, crops) for patch, crops in self._open if number in patch.frames]
        if not touching:
            return _plain(frame, self._format)
        planes = planes_of(frame, self._format)
        for patch, crops in touching:
            at, crop = next(crops)
            if at != number:
                raise JamdubError(f"the patch of line {patch.line_id} is out of step: frame {number}, not {at}")
            _insert(planes, crop, patch, self._shift)
        self._open = [(patch, crops) for patch, crops in self._open if patch.frames[-1] > number]
        return frame_of(planes, self._format)


def _numbered_crops(patch: Patch, path: Path) -> Iterator[tuple[int, Planes]]:
    crops = read_patch_video(path)
    for number in patch.frames:
        crop = next(crops, None)
        if crop is None or crop[0].shape != (patch.height, patch.width):
            raise JamdubError(
                f"the patch of line {patch.line_id} lacks frame {number}, or has another size: render again"
            )
        yield number, crop


def _check_aligned(patch: Patch, shift: tuple[int, int]) -> None:
    step_x, step_y = 1 << shift[0], 1 << shift[1]
    if patch.x % step_x or patch.width % step_x or patch.y % step_y or patch.height % step_y:
        raise JamdubError(f"the patch of line {patch.line_id} does not lie on the chroma grid ({step_x}x{step_y})")


def _insert(planes: Planes, crop: Planes, patch: Patch, shift: tuple[int, int]) -> None:
    for plane, pixels, (right, down) in zip(planes, crop, ((0, 0), shift, shift), strict=True):
        if plane.dtype != pixels.dtype:
            raise JamdubError(f"the patch of line {patch.line_id} has another bit depth than the picture: render again")
        top, left = patch.y >> down, patch.x >> right
        plane[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels


def _plain(frame: av.VideoFrame, pixel_format: str) -> av.VideoFrame:
    # The full-range "yuvj" names hold the same planes; the range travels as a tag.
    if frame.format.name == pixel_format:
        return frame
    return frame_of(planes_of(frame, pixel_format), pixel_format)


def _stamp(frame: av.VideoFrame, number: int, clock: FrameClock) -> None:
    zero = round(Fraction(clock.start_s) / clock.time_base)
    frame.pts = int(clock.pts[number]) - zero
    frame.time_base = clock.time_base
    following = clock.pts[number + 1] if number + 1 < len(clock.pts) else None
    if following is not None:
        frame.duration = int(following - clock.pts[number])
    frame.pict_type = av.video.frame.PictureType.NONE  # else x264 repeats the source's choice of frame types


def _add_stream(
    container: av.container.OutputContainer,
    info: MediaInfo,
    clock: FrameClock,
    tags: ColourTags,
    quality: tuple[int, str],
) -> av.video.stream.VideoStream:
    assert info.video is not None
    crf, preset = quality
    options = {"crf": str(crf), "preset": preset, "threads": _THREADS}
    stream = container.add_stream("libx264", rate=_rate(info), options=options)
    stream.width, stream.height = info.video.width, info.video.height
    stream.pix_fmt = working_pixel_format(info.video)
    stream.time_base = clock.time_base
    coder = stream.codec_context
    coder.time_base = clock.time_base
    coder.color_primaries, coder.color_trc = tags.primaries, tags.transfer
    coder.colorspace, coder.color_range = tags.matrix, tags.range
    if tags.sample_aspect_ratio:
        coder.sample_aspect_ratio = tags.sample_aspect_ratio
    return stream


def _rate(info: MediaInfo) -> Fraction:
    assert info.video is not None
    return Fraction(info.video.frame_rate_hz or 25).limit_denominator(1001)


def _mux_options(clock: FrameClock) -> dict[str, str]:
    # The track's clock ticks in the source's unit, so no time stamp is rounded.
    ticks_hz = clock.time_base.denominator
    return {"video_track_timescale": str(ticks_hz), "movie_timescale": str(max(ticks_hz, 1000)), "fflags": "+bitexact"}


def _colour_tags(source: Path, info: MediaInfo) -> ColourTags:
    """Read the tags after a frame is decoded: the bit stream knows more than the container."""
    index = video_of(info, source).index
    with open_media(source) as container:
        stream = picture_stream(container, index)
        frame = next(decoded_frames(container, index), None)
        if frame is None:
            raise MediaError(f"{source}: its picture does not decode: repair the file or keep the lips")
        coder, is_rgb = stream.codec_context, frame.format.is_rgb
        return ColourTags(
            primaries=int(coder.color_primaries),
            transfer=int(coder.color_trc),
            matrix=6 if is_rgb else int(coder.colorspace),  # 6: BT.601, into which swscale turns RGB
            range=2 if frame.format.name.startswith("yuvj") else 1 if is_rgb else int(coder.color_range),
            sample_aspect_ratio=stream.sample_aspect_ratio,
        )
