"""Piecewise-affine fields over a picture's region. Letters: n points, t triangles, [gh, gw] nodes of a grid.

Positions are pixel centres, (x, y), in luma pixels of the picture as coded.
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
    """Triangles [t, 3] laid over a region on a grid of `step` pixels.

    `points` [n, 2] in picture coordinates; `labels` [gh, gw] int32 says which triangle covers a node: 0 none, else
    its number + 1.
    """

    region: Region
    step: float
    points: np.ndarray
    triangles: np.ndarray
    labels: np.ndarray


def lay_mesh(
    points: np.ndarray, triangles: np.ndarray, region: Region, nodes: int, *, finest_step: float = 1.0
) -> Mesh:
    """Draw which triangle covers each node of a grid about `nodes` wide; what faces away lies underneath."""
    step = max(finest_step, region.width / nodes)
    size = (int(np.ceil(region.height / step)) + 1, int(np.ceil(region.width / step)) + 1)
    labels = np.zeros(size, dtype=np.int32)
    corners = ((points - (region.x, region.y)) / step)[triangles]
    fixed = np.round(corners * 2**_SUBPIXEL_BITS).astype(np.int32)
    for index in np.argsort(_signed_areas(corners) > 0, kind="stable"):
        cv2.fillConvexPoly(labels, fixed[index], int(index) + 1, lineType=cv2.LINE_8, shift=_SUBPIXEL_BITS)
    return Mesh(region, step, points, triangles, labels)


def _signed_areas(corners: np.ndarray) -> np.ndarray:
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def spread(mesh: Mesh, values: np.ndarray) -> np.ndarray:
    """Interpolate values at the triangles' corners [t, 3, c] linearly: [gh, gw, c] float32, 0 off the mesh.

    No node gets more than its triangle's corners have: a thin triangle would throw its border far out.
    """
    corners = (mesh.points - (mesh.region.x, mesh.region.y))[mesh.triangles] / mesh.step
    affine = _affines(corners, values).astype(np.float32)
    lowest, highest = values.min(1).astype(np.float32), values.max(1).astype(np.float32)
    rows, columns = np.nonzero(mesh.labels)
    label = mesh.labels[rows, columns] - 1
    taken = affine[label]
    linear = taken[:, 0] * columns[:, None] + taken[:, 1] * rows[:, None] + taken[:, 2]
    field = np.zeros((*mesh.labels.shape, values.shape[2]), dtype=np.float32)
    field[rows, columns] = np.clip(linear, lowest[label], highest[label])
    return field


def _affines(corners: np.ndarray, values: np.ndarray) -> np.ndarray:
    """[t, 3, c] that give `values` [t, 3, c] at `corners` [t, 3, 2]; flat triangles give their mean."""
    system = np.concatenate([corners, np.ones((*corners.shape[:2], 1))], axis=2)
    is_flat = np.abs(_signed_areas(corners)) < _FLAT
    system[is_flat] = np.eye(3)
    solved = np.linalg.solve(system, values)
    solved[is_flat] = 0
    solved[is_flat, 2] = values[is_flat].mean(1)
    return solved


def read_field(field: np.ndarray, mesh: Mesh, shift: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Read a grid's field [gh, gw(, c)] at every pixel of a plane of `size` (h, w), subsampled by 2**shift (x, y)."""
    scales = (2 ** shift[0] / mesh.step, 2 ** shift[1] / mesh.step)
    offsets = ((2 ** shift[0] - 1) / 2 / mesh.step, (2 ** shift[1] - 1) / 2 / mesh.step)
    to_grid = np.array([[scales[0], 0, offsets[0]], [0, scales[1], offsets[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(field, to_grid, size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
