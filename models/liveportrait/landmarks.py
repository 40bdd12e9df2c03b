"""What LivePortrait's 203 face points are used for, filled from the face mesh. Letters: p points.

LivePortrait finds 203 points by a network of its own. The crop needs their outline, four of each eye and two of the
mouth; the ratios of openness need the same and two of the lips. The mesh's 478 points give both.
"""

import numpy as np

LAYOUT = 203
_EYES = ((0, 6, 12, 18), (24, 30, 36, 42))
_MOUTH_CORNERS = (48, 66)


def eyes_and_mouth(landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The middle of both eyes and of the mouth's corners [2] each, of landmarks [203, 2]."""
    eyes = np.mean([landmarks[list(points)].mean(axis=0) for points in _EYES], axis=0)
    return eyes, landmarks[list(_MOUTH_CORNERS)].mean(axis=0)
