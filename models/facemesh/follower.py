"""One face followed through the frames of one shot."""

from dataclasses import dataclass, field

import numpy as np

from models.facemesh.detector import box_of, overlap
from models.facemesh.landmarks import FaceMesh

_CROP_PER_BOX = 2.2
_MAX_DRIFT = 0.15
_TRUSTED_OVERLAP = 0.5
MAX_GAP_FRAMES = 5
_PIXEL_CENTRE = np.array((0.5, 0.5, 0.0), dtype=np.float32)
"""The network counts from the picture's edge; everybody else from the centre of its first pixel."""


@dataclass
class Follower:
    """A face mesh held on one face by a crop that stays put until the face leaves its middle.

    `points` are [478, 3] in pixels of the full-size picture, one for each of `frames`.
    """

    mesh: FaceMesh
    shot: int
    box: np.ndarray
    crop: tuple[int, int, int, int] | None = None
    missed: int = 0
    looks: int = 0
    seen_by_detector: int = 0
    frames: list[int] = field(default_factory=list)
    points: list[np.ndarray] = field(default_factory=list)

    def step(self, index: int, rgb: np.ndarray, full_per_px: float) -> bool:
        """Follow the face into frame `index`; False: not found in this frame."""
        found = self._find(rgb)
        if found is None:
            self.missed += 1
            self.crop = None
            return False
        self.missed = 0
        self.box = box_of(found)
        self.frames.append(index)
        self.points.append(found * np.float32(full_per_px) - _PIXEL_CENTRE)
        return True

    @property
    def is_lost(self) -> bool:
        return self.missed > MAX_GAP_FRAMES

    def confirm(self, boxes: np.ndarray) -> None:
        """Count whether the detector sees a face here too: what it never sees is no face."""
        self.looks += 1
        self.seen_by_detector += any(overlap(self.box, box) >= _TRUSTED_OVERLAP for box in boxes)

    def _find(self, rgb: np.ndarray) -> np.ndarray | None:
        if self.crop is None or _has_left(self.box, self.crop, rgb.shape[:2]):
            self.crop = _crop_around(self.box, rgb.shape[:2])
            left, top, right, bottom = self.crop
            found = self.mesh.restart(rgb[top:bottom, left:right])
        else:
            left, top, right, bottom = self.crop
            found = self.mesh.follow(rgb[top:bottom, left:right])
        if found is None:
            return None
        found[:, :2] += (left, top)
        return found if overlap(box_of(found), self.box) >= _TRUSTED_OVERLAP else None


def _crop_around(box: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int]:
    height, width = size
    centre = (box[:2] + box[2:]) / 2
    half = max(box[2] - box[0], box[3] - box[1]) * _CROP_PER_BOX / 2
    left, top = np.maximum(centre - half, 0)
    right, bottom = np.minimum(centre + half, (width, height))
    return int(left), int(top), int(np.ceil(right)), int(np.ceil(bottom))


def _has_left(box: np.ndarray, crop: tuple[int, int, int, int], size: tuple[int, int]) -> bool:
    """True where a fresh crop around the face would lie clearly elsewhere, or be of clearly another size."""
    fresh = np.array(_crop_around(box, size))
    side = max(crop[2] - crop[0], crop[3] - crop[1])
    return bool(np.abs(fresh - crop).max() > _MAX_DRIFT * side)
