"""LivePortrait's 203 face points, filled from the face mesh's 478. Letters: p points.

LivePortrait finds its points by a network of its own, and uses them to place the crop (four of each eye, two of the
mouth, and how far the others reach) and to say how open eyes and lips are. Each of its lines is a line of the mesh,
divided anew into equal parts between the points that both have.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from models.facemesh.topology import (
    INNER_LOWER_LIP,
    INNER_UPPER_LIP,
    LOWER_OVAL,
    OUTER_LOWER_LIP,
    OUTER_UPPER_LIP,
)

LAYOUT = 203
_EYES = ((0, 6, 12, 18), (24, 30, 36, 42))
_MOUTH_CORNERS = (48, 66)


def _halves(line: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A line up to its middle point, and from it."""
    middle = len(line) // 2
    return tuple(line[: middle + 1]), tuple(line[middle:])


_UPPER, _LOWER = _halves(OUTER_UPPER_LIP), _halves(OUTER_LOWER_LIP[::-1])
_INNER_UPPER, _INNER_LOWER = _halves(INNER_UPPER_LIP), _halves(INNER_LOWER_LIP[::-1])
_JAW = _halves(tuple(LOWER_OVAL[::-1].tolist()))

# Lines of mesh points; a line ends where the next one begins. Left is left in the picture.
_LEFT_EYE = ((33, 246, 161, 160, 159), (159, 158, 157, 173, 133), (133, 155, 154, 153, 145), (145, 144, 163, 7, 33))
_RIGHT_EYE = (
    (362, 398, 384, 385, 386),
    (386, 387, 388, 466, 263),
    (263, 249, 390, 373, 374),
    (374, 380, 381, 382, 362),
)
_LEFT_BROW = ((70, 63, 105, 66, 107, 55), (55, 65, 52, 53, 46, 70))
_RIGHT_BROW = ((285, 336, 296, 334, 293, 300), (300, 276, 283, 282, 295, 285))
_NOSE = ((64, 98, 97, 2, 326, 327, 294),)

_CLOSED = (
    (_LEFT_EYE, 6),
    (_RIGHT_EYE, 6),
    ((*_UPPER, *_LOWER), 9),
    ((*_INNER_UPPER, *_INNER_LOWER), 6),
)
_OPEN_JAW = (_JAW, 18)
_BROWS = ((_LEFT_BROW, 10), (_RIGHT_BROW, 10))
_OPEN_NOSE = (_NOSE, 17)


def from_mesh(mesh: np.ndarray) -> np.ndarray:
    """203 points [203, 2] of a face mesh [478, 2 or 3]."""
    points = np.asarray(mesh[:, :2], np.float64)
    parts = [_divided(points, lines, count) for lines, count in _CLOSED]
    parts.append(_divided(points, *_OPEN_JAW, is_open=True))
    parts += [_divided(points, lines, count) for lines, count in _BROWS]
    parts.append(_divided(points, *_OPEN_NOSE, is_open=True))
    return np.concatenate(parts)


def _divided(points: np.ndarray, lines: Sequence[Sequence[int]], parts: int, *, is_open: bool = False) -> np.ndarray:
    """Points along lines, each divided into equal parts; an open line has its last point, too."""
    found = [_along(points[list(line)], parts)[:-1] for line in lines]
    return np.concatenate([*found, points[[lines[-1][-1]]]] if is_open else found)


def _along(line: np.ndarray, parts: int) -> np.ndarray:
    """parts + 1 points at equal distances along a line [p, 2], its ends among them."""
    steps = [float(np.linalg.norm(after - before)) for before, after in pairwise(line)]
    reached = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.linspace(0.0, reached[-1], parts + 1)
    return np.stack([np.interp(wanted, reached, line[:, axis]) for axis in range(2)], axis=1)


def eyes_and_mouth(landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The middle of both eyes and of the mouth's corners [2] each, of landmarks [203, 2]."""
    eyes = np.mean([landmarks[list(points)].mean(axis=0) for points in _EYES], axis=0)
    return eyes, landmarks[list(_MOUTH_CORNERS)].mean(axis=0)
