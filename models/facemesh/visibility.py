"""How well a mouth is seen, from the head's pose, the face's size and the picture's border."""

import numpy as np

from models.facemesh.rest import turns
from models.facemesh.space import encode
from models.facemesh.topology import OUTER_LIPS

_TURN_FULL_RAD, _TURN_NONE_RAD = 0.55, 0.95
_NOD_FULL_RAD, _NOD_NONE_RAD = 0.55, 0.95
_EYES_NONE_PX, _EYES_FULL_PX = 12.0, 26.0
_BORDER_PX = 2.0


def mouth_visibility(landmarks: np.ndarray, width: float, height: float) -> np.ndarray:
    """Rate the mouth's visibility [k], 0 to 1, for landmarks [k, 478, 3] in a picture of width x height pixels."""
    pose = encode(landmarks).pose
    angles = np.abs(turns(pose))
    turned = _falling(angles[:, 1], _TURN_FULL_RAD, _TURN_NONE_RAD)
    nodded = _falling(angles[:, 0], _NOD_FULL_RAD, _NOD_NONE_RAD)
    sized = 1 - _falling(pose.scale, _EYES_NONE_PX, _EYES_FULL_PX)
    lips = landmarks[:, OUTER_LIPS, :2]
    inside = (lips > _BORDER_PX).all((1, 2)) & (lips < np.array((width, height)) - _BORDER_PX).all((1, 2))
    return (turned * nodded * sized * inside).astype(np.float32)


def _falling(values: np.ndarray, full: float, none: float) -> np.ndarray:
    return np.clip((none - values) / (none - full), 0.0, 1.0)
