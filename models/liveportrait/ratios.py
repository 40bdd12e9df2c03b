"""How open eyes and lips are, from landmarks in the 203-point layout. Letters: b frames."""

import numpy as np

from models.liveportrait.landmarks import LAYOUT

_EPSILON = 1e-6
_LEFT_EYE, _RIGHT_EYE, _LIPS = (6, 18, 0, 12), (30, 42, 24, 36), (90, 102, 48, 66)
"""Top, bottom, and the two corners."""


def eye_openness(landmarks: np.ndarray) -> np.ndarray:
    """Height by width of both eyes [b, 2], of landmarks [b, 203, 2]."""
    return np.concatenate([_ratio(landmarks, *_LEFT_EYE), _ratio(landmarks, *_RIGHT_EYE)], axis=1)


def lip_openness(landmarks: np.ndarray) -> np.ndarray:
    """Height by width of the inner lips [b, 1], of landmarks [b, 203, 2]."""
    return _ratio(landmarks, *_LIPS)


def _ratio(landmarks: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
    assert landmarks.shape[1:] == (LAYOUT, 2)
    height = np.linalg.norm(landmarks[:, top] - landmarks[:, bottom], axis=1, keepdims=True)
    width = np.linalg.norm(landmarks[:, left] - landmarks[:, right], axis=1, keepdims=True)
    return np.asarray(height / (width + _EPSILON))
