"""Compare what was made with what came in: packets, frame counts, pixels outside the patches."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import av.container
import av.stream
import av.video.stream
import cv2
import numpy as np

from media.decoder import decoded_frames, open_media
from media.planes import PlanarFrame, read_planes
from media.probe import probe
from media.tools import Tools, input_file, run_ffmpeg
from schemas.dub import Patch
from schemas.errors import MediaError
from schemas.media import MediaInfo

# mp4, Matroska and MPEG-TS frame the same units differently and move parameter sets between the units and the
# container: the hash is of the coded slices alone, framed alike.
_CANONICAL = {
    "h264": "h264_mp4toannexb,filter_units=remove_types=7-9",
    "hevc": "hevc_mp4toannexb,filter_units=remove_types=32-35",
}
IDENTICAL_DB = 100.0


def video_packet_hash(path: Path, tools: Tools) -> str:
    """Hash the coded picture (SHA-256), cover art left out; copying into another container keeps it.

    Raises: MediaError where there is no picture.
    """
    video = probe(path, tools).video
    if video is None:
        raise MediaError(f"{path} has no picture to compare: give a video")
    filters = ["-bsf:v", _CANONICAL[video.codec]] if video.codec in _CANONICAL else []
    copy = ["-map", f"0:{video.index}", "-c", "copy", *filters, "-f", "hash", "-hash", "sha256", "pipe:1"]
    line = run_ffmpeg(tools, [*input_file(path), *copy])
    return line.decode().strip().rpartition("=")[2]


def frame_count(path: Path) -> int:
    """Decode the picture and count its frames. Raises: MediaError where it does not decode."""
    with open_media(path) as container:
        return sum(1 for _ in decoded_frames(container, _picture(container, path).index))


def outside_patches_psnr_db(
    source: Path, info: MediaInfo, dubbed: Path, patches: Sequence[Patch], *, every: int = 5
) -> float:
    """Measure how alike the luma of every n-th frame is outside the patches, as one PSNR.

    Returns:
        Decibels; `IDENTICAL_DB` where no sample differs.

    Raises: MediaError where the two differ in size, bit depth or frame numbers, or share no frame.
    """
    total, samples, peak = 0.0, 0, 255.0
    made = _described(info, dubbed)
    for ours, theirs in zip(_sampled(source, info, every), _sampled(dubbed, made, every), strict=False):
        if _kind(ours) != _kind(theirs):
            raise MediaError(
                f"{dubbed} differs from {source} in size, depth or frames: the dub is broken, run it again"
            )
        outside = _outside(ours, patches)
        peak = 255.0 if ours.planes[0].dtype == np.uint8 else 1023.0
        total += cv2.norm(ours.planes[0], theirs.planes[0], cv2.NORM_L2SQR, outside)
        samples += cv2.countNonZero(outside)
    if samples == 0:
        raise MediaError(f"{dubbed} shares no frame with {source}: the dub is broken, run it again")
    return min(IDENTICAL_DB, 10 * math.log10(peak**2 * samples / total)) if total else IDENTICAL_DB


def _kind(frame: PlanarFrame) -> tuple[int, tuple[int, ...], np.dtype]:
    return frame.index, frame.planes[0].shape, frame.planes[0].dtype


def _sampled(path: Path, info: MediaInfo, every: int) -> Iterator[PlanarFrame]:
    return read_planes(path, info, range(0, 2**31, every))


def _outside(frame: PlanarFrame, patches: Sequence[Patch]) -> np.ndarray:
    outside = np.ones(frame.planes[0].shape, np.uint8)
    for patch in patches:
        is_near = bool(patch.frames) and patch.frames[0] <= frame.index <= patch.frames[-1]
        if is_near and frame.index in patch.frames:
            outside[patch.y : patch.y + patch.height, patch.x : patch.x + patch.width] = 0
    return outside


def _described(source: MediaInfo, dubbed: Path) -> MediaInfo:
    """Describe the dub for reading: like the source, except for where and how its picture is stored."""
    with open_media(dubbed) as container:
        stream = _picture(container, dubbed)
        coder = stream.codec_context
        changes = {
            "index": stream.index,
            "codec": coder.codec.canonical_name,
            "width": coder.width,
            "height": coder.height,
        }
        assert source.video is not None
        video = source.video.model_copy(update={**changes, "pixel_format": coder.pix_fmt})
        start_s = (container.start_time or 0) / av.time_base
        update = {"container": container.format.name, "start_s": start_s, "video": video}
        return source.model_copy(update=update)


def _picture(container: av.container.InputContainer, path: Path) -> av.video.stream.VideoStream:
    still = av.stream.Disposition.attached_pic
    picture = next((stream for stream in container.streams.video if not stream.disposition & still), None)
    if picture is None:
        raise MediaError(f"{path} has no picture to compare: give a video")
    return picture
