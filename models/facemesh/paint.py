"""One frame's lower face re-drawn: skin from the frame itself, lips and what lies between from the bank.

Planes are Y, U, V (or any list of planes with their subsampling); positions are in luma pixels as coded.
Letters: [h, w] pixels of a plane, n points.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from media.planes import Planes
from models.facemesh.topology import OUTER_LIPS
from models.facemesh.warp import Mesh, Region, displacement, lay_mesh, sample_field

_GRID_NODES = 192
_STILL_PX, _MOVED_PX = 0.02, 0.3
_MOUTH_GROWTH, _MOUTH_FEATHER = 0.11, 0.055
"""Inter-ocular distances: how far beyond the lips the bank's picture reaches, and how softly it ends."""
_SHADE_NODES, _SHADE_SIGMA = 40, 5.0


@dataclass(frozen=True)
class Picture:
    """Part of a frame: planes of `region`, and the face's points [n, 2] in it.

    `shifts`: log2 of each plane's subsampling (x, y).
    """

    planes: Planes
    region: Region
    shifts: tuple[tuple[int, int], ...]
    points: np.ndarray


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
        mouths: Weights (sum 1) and pictures whose lips are laid over the moved face; may be empty.
        share: Opacity of those lips, 0 to 1.

    Returns: Planes of the shape's region; where nothing moves they equal the frame's exactly.
    """
    mesh = lay_mesh(shape.points, shape.triangles, shape.region, max(1.0, shape.region.width / _GRID_NODES))
    field = displacement(mesh, own.points)
    moved = _opacity_of_movement(field)
    mouth = share * _mouth_mask(mesh, shape) if mouths else np.zeros_like(moved)
    fields = [(weight, picture, displacement(mesh, picture.points)) for weight, picture in mouths]
    drawn = []
    for index, shift in enumerate(own.shifts):
        before = crop_plane(own, index, shape.region)
        size = before.shape
        skin = _fetch(own, index, mesh, field, size)
        result = before + sample_field(moved, mesh, shift, size) * (skin - before)
        if fields:
            opacity = sample_field(mouth, mesh, shift, size)
            pieces = [weight * _fetch(picture, index, mesh, own_field, size) for weight, picture, own_field in fields]
            lips = np.sum(pieces, axis=0)
            skin_and_lips = result + opacity * (lips + _shade(result - lips, opacity) - result)
            drawn.append(_like(skin_and_lips, before))
        else:
            drawn.append(_like(result, before))
    y, u, v = drawn
    return y, u, v


def crop_plane(picture: Picture, index: int, region: Region) -> np.ndarray:
    """The plane's pixels of `region`, which lies inside the picture's."""
    shift_x, shift_y = picture.shifts[index]
    x, y = (region.x - picture.region.x) >> shift_x, (region.y - picture.region.y) >> shift_y
    return picture.planes[index][y : y + (region.height >> shift_y), x : x + (region.width >> shift_x)]


def _fetch(picture: Picture, index: int, mesh: Mesh, field: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Draw a plane of `picture` where the mesh's points shall lie: [h, w] float32."""
    shift_x, shift_y = picture.shifts[index]
    offsets = sample_field(field, mesh, (shift_x, shift_y), size)
    x = np.arange(size[1], dtype=np.float32) + ((mesh.region.x - picture.region.x) >> shift_x)
    y = np.arange(size[0], dtype=np.float32) + ((mesh.region.y - picture.region.y) >> shift_y)
    map_x = x[None, :] + offsets[:, :, 0] / 2**shift_x
    map_y = y[:, None] + offsets[:, :, 1] / 2**shift_y
    plane = picture.planes[index].astype(np.float32)
    return cv2.remap(plane, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _opacity_of_movement(field: np.ndarray) -> np.ndarray:
    """1 where the skin moves, exactly 0 where it does not: there the frame's own pixels stay."""
    return np.clip((np.hypot(field[:, :, 0], field[:, :, 1]) - _STILL_PX) / (_MOVED_PX - _STILL_PX), 0, 1)


def _mouth_mask(mesh: Mesh, shape: Shape) -> np.ndarray:
    lips = (shape.points[OUTER_LIPS] - (mesh.region.x, mesh.region.y)) / mesh.step
    eyes = shape.eyes_px / mesh.step
    mask = np.zeros(mesh.labels.shape, dtype=np.float32)
    cv2.fillPoly(mask, [np.round(lips * 16).astype(np.int32)], 1.0, shift=4)
    reach = max(1, round(_MOUTH_GROWTH * eyes))
    mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.5, _MOUTH_FEATHER * eyes))
    return np.where(mesh.labels > 0, np.clip((soft - 0.02) / 0.96, 0, 1), 0).astype(np.float32)


def _shade(difference: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Carry the difference in light found on the mouth's soft border smoothly across its inside."""
    size = (_SHADE_NODES, _SHADE_NODES)
    border = cv2.resize(opacity * (1 - opacity), size, interpolation=cv2.INTER_AREA)
    weighted = cv2.resize(difference * opacity * (1 - opacity), size, interpolation=cv2.INTER_AREA)
    smooth, weight = (cv2.GaussianBlur(part, (0, 0), _SHADE_SIGMA) for part in (weighted, border))
    return cv2.resize(smooth / (weight + 1e-6), difference.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _like(values: np.ndarray, plane: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, np.iinfo(plane.dtype).max).astype(plane.dtype)
