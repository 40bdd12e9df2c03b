"""LivePortrait's expression numbers as a motion space: four rows of keypoints are the mouth, seventeen the rest.

Letters: t frames. The paper has 4 x 3 mouth numbers and does not print which rows; 14, 17, 19 and 20 are those of
LivePortrait's own six lip rows that move (docs/adr/0014).
"""

from collections.abc import Iterable, Sequence

import numpy as np

from models.liveportrait.driving import LIP_ROWS
from models.liveportrait.motion_extractor import KEYPOINTS
from schemas.errors import RequestError
from schemas.motion import MotionSpace

NAME = "liveportrait"
FPS = 25.0
MOUTH_ROWS = (14, 17, 19, 20)
SIX_ROWS = LIP_ROWS
"""LivePortrait's own set, 18 numbers."""

_AXES = "xyz"
_LEAST_DEVIATION = 1e-6


def rest_rows(mouth: Sequence[int]) -> tuple[int, ...]:
    """The other keypoints, in order."""
    return tuple(row for row in range(KEYPOINTS) if row not in mouth)


def measured_space(expressions: Iterable[np.ndarray], mouth: Sequence[int] = MOUTH_ROWS) -> MotionSpace:
    """The space whose numbers have mean 0 and deviation 1 over expressions [t, 21, 3] of a corpus.

    Raises:
        RequestError: There are none.
    """
    found = [expression.reshape(-1, KEYPOINTS, 3) for expression in expressions]
    if not found or not sum(len(one) for one in found):
        raise RequestError("there is no motion to measure a space on: give films with faces")
    every = np.concatenate(found).astype(np.float64)[:, [*mouth, *rest_rows(mouth)]].reshape(-1, 3 * KEYPOINTS)
    return MotionSpace(
        name=NAME,
        fps=FPS,
        mouth_dims=_names(mouth),
        rest_dims=_names(rest_rows(mouth)),
        mean=tuple(every.mean(axis=0).tolist()),
        std=tuple(np.maximum(every.std(axis=0), _LEAST_DEVIATION).tolist()),
    )


def rows_of(space: MotionSpace) -> tuple[int, ...]:
    """The keypoints that are the mouth of a space.

    Raises:
        RequestError: It is another kind of space.
    """
    for mouth in (MOUTH_ROWS, SIX_ROWS):
        if space.name == NAME and space.mouth_dims == _names(mouth) and space.rest_dims == _names(rest_rows(mouth)):
            return mouth
    raise RequestError(
        f"the motion space {space.name!r} with {len(space.mouth_dims)} mouth and {len(space.rest_dims)} rest numbers "
        f"is none of LivePortrait's {KEYPOINTS} keypoints: choose weights of the joint model that were trained in it"
    )


def split(expression: np.ndarray, mouth: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Mouth [t, 3 m] and rest [t, 63 - 3 m] of expressions [t, 21, 3]."""
    return _flat(expression, mouth), _flat(expression, rest_rows(mouth))


def _flat(expression: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    return np.ascontiguousarray(expression[:, list(rows)].reshape(len(expression), -1), np.float32)


def _names(rows: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"exp{row}.{axis}" for row in rows for axis in _AXES)
