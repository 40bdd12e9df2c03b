"""A motion space at work: what reads faces into its numbers, and draws faces from them.

There are two: the packaged face mesh (models.facemesh) and LivePortrait (models.liveportrait). The joint model's
weights name the space that they were trained in, and so decide which one a run uses.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from models.facemesh.tracks import TrackData
from models.motion import Motion
from models.track_motion import TrackMotion
from schemas.media import MediaInfo
from schemas.motion import MotionSpace
from schemas.progress import Advance


@dataclass(frozen=True)
class RenderedLine:
    """Where the patch goes, in pixels as coded, and which source frames its pictures replace, in order.

    `bounded` counts frames whose opening was limited, `skipped` those without a usable mouth; `aperture` is what
    each frame was drawn with, where the space says. Without any usable frame there is no patch file, and the rectangle
    is empty.
    """

    x: int
    y: int
    width: int
    height: int
    frames: tuple[int, ...]
    bounded: int
    skipped: int
    aperture: tuple[float, ...]


@dataclass(frozen=True)
class Shown:
    """What a face shall show.

    Attributes:
        motion: Its mouth, as generated; starts at `start_s` of the source's time line.
        resting: [m] the closed mouth of whoever it moves like; None: found in the motion itself.
    """

    motion: Motion
    start_s: float
    resting: np.ndarray | None = None


@dataclass(frozen=True)
class Film:
    """A video and the times of its frames [N], seconds."""

    path: Path
    info: MediaInfo
    frame_times_s: np.ndarray


class FaceModel(Protocol):
    """Reads and draws faces in one motion space."""

    @property
    def space(self) -> MotionSpace:
        """The numbers that it works in."""
        ...

    def track_motions(
        self, film: Film, tracks: Mapping[str, TrackData], on_progress: Advance | None = None
    ) -> dict[str, TrackMotion]:
        """What the tracked faces of a film do. Raises: MediaError, where it does not decode any more."""
        ...

    def render_line(
        self,
        film: Film,
        track: TrackData,
        shown: Shown,
        wanted_frames: np.ndarray,
        *,
        patch_path: Path,
        on_progress: Advance | None = None,
    ) -> RenderedLine:
        """Draw a mouth onto a tracked face in some frames [k] of a film; elsewhere the patch holds its own pixels.

        Raises: MediaError, where it does not decode any more.
        """
        ...

    def portrait_motion(self, rgb: np.ndarray, landmarks: np.ndarray, frames: int) -> Motion:
        """What else than its mouth a portrait [h, w, 3] with a mesh [478, 3] does, held; its mouth says nothing."""
        ...

    def animate(self, rgb: np.ndarray, landmarks: np.ndarray, motion: Motion) -> Iterator[np.ndarray]:
        """Draw a portrait with each mouth of a motion: pictures of its size, one for each frame of motion."""
        ...
