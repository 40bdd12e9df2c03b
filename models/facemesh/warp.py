"""Piecewise-affine maps of a picture region. Letters: n points, t triangles, [h, w] the region's pixels.

Positions are pixel centres, (x, y), in the picture as coded.
"""

from dataclasses import dataclass

import cv2
import numpy as np

_SUBPIXEL_BITS = 4
_FLAT = 0.02


@dataclass(frozen=True)
class Region:
    """A rectangle of a picture, in luma pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Mesh:
    """Triangles [t, 3] laid over a region on a grid of `step` pixels: which triangle lies where.

    `labels` [gh, gw] int32: 0 outside, else triangle + 1; `points` [n, 2] where the result's points lie.
    """

    region: Region
    step: float
    points: np.ndarray
    triangles: np.ndarray
    labels: np.ndarray


def lay_mesh(points: np.ndarray, triangles: np.ndarray, region: Region, step: float) -> Mesh:
    """Draw which triangle covers each node of the grid."""
    size = (int(np.ceil(region.height / step)) + 1, int(np.ceil(region.width / step)) + 1)
    labels = np.zeros(size, dtype=np.int32)
    on_grid = (points - (region.x, region.y)) / step
    corners = np.round(on_grid[triangles] * 2**_SUBPIXEL_BITS).astype(np.int32)
    for index, corner in enumerate(corners):
        cv2.fillConvexPoly(labels, corner, index + 1, lineType=cv2.LINE_8, shift=_SUBPIXEL_BITS)
    return Mesh(region, step, points, triangles, labels)


def displacement(mesh: Mesh, source: np.ndarray) -> np.ndarray:
    """How far from each node its picture lies in the source, whose points are `source` [n, 2]: [gh, gw, 2] float32.

    No node is displaced further than its triangle's corners: a thin triangle would throw its border far out.
    """
    corners = (mesh.points - (mesh.region.x, mesh.region.y))[mesh.triangles] / mesh.step
    values = (source - mesh.points)[mesh.triangles]
    still = np.zeros((1, 2), dtype=np.float32)
    affine = np.concatenate([np.zeros((1, 3, 2)), _affines(corners, values)]).astype(np.float32)
    lowest = np.concatenate([still, values.min(1)]).astype(np.float32)
    highest = np.concatenate([still, values.max(1)]).astype(np.float32)
    rows, columns = np.nonzero(mesh.labels)
    label = mesh.labels[rows, columns]
    taken = affine[label]
    moved = taken[:, 0] * columns[:, None] + taken[:, 1] * rows[:, None] + taken[:, 2]
    field = np.zeros((*mesh.labels.shape, 2), dtype=np.float32)
    field[rows, columns] = np.clip(moved, lowest[label], highest[label])
    return field


def _affines(corners: np.ndarray, values: np.ndarray) -> np.ndarray:
    """[t, 3, 2] that give `values` [t, 3, 2] at `corners` [t, 3, 2]; flat triangles give their mean."""
    system = np.concatenate([corners, np.ones((*corners.shape[:2], 1))], axis=2)
    is_flat = np.abs(np.linalg.det(system)) < _FLAT
    system[is_flat] = np.eye(3)
    solved = np.linalg.solve(system, values)
    solved[is_flat] = 0
    solved[is_flat, 2] = values[is_flat].mean(1)
    return solved


def sample_field(field: np.ndarray, mesh: Mesh, shift: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Read a grid field [gh, gw, c] at every pixel of a plane of `size` (h, w), subsampled by 2**shift (x, y)."""
    scale_x, scale_y = 2 ** shift[0] / mesh.step, 2 ** shift[1] / mesh.step
    offset_x, offset_y = ((2 ** shift[axis] - 1) / 2 / mesh.step for axis in (0, 1))
    to_grid = np.array([[scale_x, 0, offset_x], [0, scale_y, offset_y]])
    return cv2.warpAffine(
        field, to_grid, size[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
