"""Read a video's frames upright in RGB with their exact times, one by one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from media.decoder import numbered_frames, read_clock, video_of
from schemas.media import MediaInfo, VideoStream

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True)
class UprightFrame:
    """One frame as it is seen.

    Attributes:
        index: Frame number from 0, in the order of showing.
        time_s: After the file's time 0.
        rgb: [h, w, 3] uint8, turned upright, perhaps scaled down.
        scale: Multiply pixels of `rgb` by this to get full-size upright pixels.
    """

    index: int
    time_s: float
    rgb: np.ndarray
    scale: float


def frame_times_s(path: Path, info: MediaInfo) -> np.ndarray:
    """Return the time of each frame: [N] float64, seconds after the file's time 0, in the order of showing.

    Raises: MediaError where there is no readable picture.
    """
    return read_clock(path, info).times_s


def read_upright(path: Path, info: MediaInfo, *, max_side_px: int = 960) -> Iterator[UprightFrame]:
    """Decode every frame, turned upright and scaled down to `max_side_px` on its long side.

    A frame that is too damaged to decode is left out; the numbers and times of the others stay.

    Raises: MediaError where there is no readable picture.
    """
    rotation_deg = video_of(info, path).rotation_deg
    clock = read_clock(path, info)
    times_s = clock.times_s
    for number, frame in numbered_frames(path, info, clock):
        scale = max(1.0, max(frame.width, frame.height) / max_side_px)
        rgb = _turn(_to_rgb(frame, scale), rotation_deg)
        yield UprightFrame(number, float(times_s[number]), rgb, scale)


def to_upright_px(points: np.ndarray, info_video: VideoStream) -> np.ndarray:
    """Turn [..., 2] coded pixels (x, y) into full-size upright pixels; centres of pixels are whole numbers."""
    right, bottom = info_video.width - 1, info_video.height - 1
    x, y = points[..., 0], points[..., 1]
    turned = {0: (x, y), 90: (bottom - y, x), 180: (right - x, bottom - y), 270: (y, right - x)}
    return np.stack(turned[info_video.rotation_deg], axis=-1)


def to_coded_px(points: np.ndarray, info_video: VideoStream) -> np.ndarray:
    """Turn [..., 2] full-size upright pixels (x, y) into coded pixels: the inverse of `to_upright_px`."""
    right, bottom = info_video.width - 1, info_video.height - 1
    x, y = points[..., 0], points[..., 1]
    turned = {0: (x, y), 90: (y, bottom - x), 180: (right - x, bottom - y), 270: (right - y, x)}
    return np.stack(turned[info_video.rotation_deg], axis=-1)


def _to_rgb(frame: av.VideoFrame, scale: float) -> np.ndarray:
    width, height = max(1, round(frame.width / scale)), max(1, round(frame.height / scale))
    return frame.reformat(width=width, height=height, format="rgb24").to_ndarray()


def _turn(rgb: np.ndarray, rotation_deg: int) -> np.ndarray:
    return rgb if rotation_deg == 0 else cv2.rotate(rgb, _TURNS[rotation_deg])
