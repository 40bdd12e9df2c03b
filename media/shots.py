"""Find the cuts of a video while its frames pass by once."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import Protocol

import cv2
import numpy as np
from scenedetect import ContentDetector, FrameTimecode
from scenedetect.common import Timecode
from scenedetect.detector import FlashFilter

from schemas.media import TimeSpan

THUMBNAIL_PX = 256
THRESHOLD = 27.0  # PySceneDetect's own; nothing but cuts came above 18 in our test videos
SHORTEST_SHOT_S = 0.2
_TICKS_PER_S = 90_000
_NOMINAL_HZ = 25.0  # the detector asks for a rate, but decides by time


class TimedFrame(Protocol):
    """What `detect_shots` needs of a decoded frame."""

    @property
    def rgb(self) -> np.ndarray: ...

    @property
    def time_s(self) -> float: ...


class ShotDetector:
    """Says of each frame, as it comes, whether a new shot starts with it.

    Source: PySceneDetect's ContentDetector (BSD-3): mean change of hue, saturation and brightness.
    """

    def __init__(self) -> None:
        self._detector = ContentDetector(
            threshold=THRESHOLD, min_scene_len=SHORTEST_SHOT_S, filter_mode=FlashFilter.Mode.SUPPRESS
        )
        self._starts_s: list[float] = []
        self._size: tuple[int, int] | None = None

    def push(self, rgb: np.ndarray, time_s: float) -> bool:
        """Take the next frame [h, w, 3] uint8 of any size; True for the first frame and for each after a cut."""
        thumbnail = self._thumbnail(rgb)
        ticks = Timecode(pts=round(time_s * _TICKS_PER_S), time_base=Fraction(1, _TICKS_PER_S))
        is_cut = bool(self._detector.process_frame(FrameTimecode(timecode=ticks, fps=_NOMINAL_HZ), thumbnail))
        starts = is_cut or not self._starts_s
        if starts:
            self._starts_s.append(time_s)
        return starts

    def shots(self, duration_s: float) -> tuple[TimeSpan, ...]:
        """Return the shots so far: the first starts at 0, the last ends at the video's end."""
        edges_s = [0.0, *self._starts_s[1:], max(duration_s, self._starts_s[-1] if self._starts_s else 0.0)]
        return tuple(TimeSpan(start_s=start_s, end_s=end_s) for start_s, end_s in pairwise(edges_s) if end_s > start_s)

    def _thumbnail(self, rgb: np.ndarray) -> np.ndarray:
        """Return a small BGR picture, all of one size even where the video changes its own."""
        if self._size is None:
            scale = min(1.0, THUMBNAIL_PX / max(rgb.shape[:2]))
            self._size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
        small = cv2.resize(rgb, self._size, interpolation=cv2.INTER_AREA)
        return cv2.cvtColor(small, cv2.COLOR_RGB2BGR)


def detect_shots(frames: Iterable[TimedFrame], duration_s: float) -> tuple[TimeSpan, ...]:
    """Return the shots of a video in order, without gaps, from 0 to its end."""
    detector = ShotDetector()
    for frame in frames:
        detector.push(frame.rgb, frame.time_s)
    return detector.shots(duration_s)
