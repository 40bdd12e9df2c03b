"""Fixed points around the jaw, so that a moving chin stretches the neck a little instead of tearing off."""

import numpy as np

from models.facemesh.topology import EYE_CORNERS, LOWER_OVAL

_REACH = 1.35


def ring_points(landmarks: np.ndarray) -> np.ndarray:
    """Push the jaw line outwards from between the eyes: [k, p, 2] to [k, 21, 2]."""
    centre = landmarks[:, [point for eye in EYE_CORNERS for point in eye]].mean(1, keepdims=True)
    return centre + _REACH * (landmarks[:, LOWER_OVAL] - centre)
