"""One frame's lower face re-drawn: skin from the frame itself, the mouth from pictures of the same mouth."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from media.planes import Planes
from models.facemesh.mouth import FEATHER, GROWTH, Mouth
from models.facemesh.picture import Picture
from models.facemesh.topology import OUTER_LIPS
from models.facemesh.warp import Mesh, Region, lay_mesh, read_field, spread

_SKIN_NODES = 96
_SKIN_SMOOTHING_NODES = 1.2
_STILL_PX, _MOVED_PX = 0.02, 0.3


@dataclass(frozen=True)
class Shape:
    """What to draw: the points [n, 2] to reach, the triangles between them, inter-ocular pixels, and the region."""

    points: np.ndarray
    triangles: np.ndarray
    eyes_px: float
    region: Region


def paint(own: Picture, shape: Shape, mouths: Sequence[tuple[float, Picture]], share: float) -> Planes:
    """Draw `own` with its face in another shape.

    Args:
        own: The frame; its region contains the shape's.
        mouths: Weights (sum 1) and the pictures to draw the mouth from; at least one.
        share: Opacity of that mouth, 0 to 1.

    Returns: Planes of the shape's region; where nothing moves they equal the frame's exactly.
    """
    mesh = lay_mesh(shape.points, shape.triangles, shape.region, _SKIN_NODES)
    displacement = _smooth(spread(mesh, (own.points - shape.points)[shape.triangles]), mesh)
    moved = _opacity_of_movement(displacement)
    mouth_region = region_of_mouth(shape)
    mouth = Mouth(shape.points, shape.eyes_px, mouth_region, mouths)
    drawn = []
    for index, shift in enumerate(own.sampling.shifts):
        before = own.crop(index, shape.region)
        skin = own.fetch(index, mesh, displacement, before.shape)
        result = before + read_field(moved, mesh, shift, before.shape) * (skin - before)
        x, y = (mouth_region.x - shape.region.x) >> shift[0], (mouth_region.y - shape.region.y) >> shift[1]
        window = result[y : y + (mouth_region.height >> shift[1]), x : x + (mouth_region.width >> shift[0])]
        window[...] = mouth.drawn(index, window, share)
        drawn.append(np.clip(np.rint(result), 0, own.sampling.highest).astype(before.dtype))
    first, second, third = drawn
    return first, second, third


def region_of_mouth(shape: Shape) -> Region:
    """The even-aligned rectangle of the mouth's mask, inside the shape's region."""
    lips = shape.points[OUTER_LIPS]
    reach = (GROWTH + 3 * FEATHER) * shape.eyes_px + 2
    region = shape.region
    left, top = np.maximum(np.floor(lips.min(0) - reach), (region.x, region.y)).astype(int) // 2 * 2
    beyond = np.ceil(lips.max(0) + reach).astype(int) // 2 * 2
    right, bottom = np.minimum(beyond, (region.x + region.width, region.y + region.height))
    return Region(int(left), int(top), int(max(2, right - left)), int(max(2, bottom - top)))


def _smooth(displacement: np.ndarray, mesh: Mesh) -> np.ndarray:
    """Close the tears that a turned head's hidden cheek leaves in the mesh; nothing moves off the mesh."""
    smooth = cv2.GaussianBlur(displacement, (0, 0), _SKIN_SMOOTHING_NODES)
    return smooth * (mesh.labels > 0)[:, :, None]


def _opacity_of_movement(displacement: np.ndarray) -> np.ndarray:
    """1 where the skin moves, exactly 0 where it does not: there the frame's own pixels stay."""
    moved = np.hypot(displacement[:, :, 0], displacement[:, :, 1])
    return np.clip((moved - _STILL_PX) / (_MOVED_PX - _STILL_PX), 0, 1)
