"""What the face does besides the mouth: head, brows, eyes. Letters: k frames, r = 12 rest numbers."""

import cv2
import numpy as np

from models.facemesh.align import Pose
from models.facemesh.topology import BROWS, EYE_CORNERS, EYELIDS, IRISES

REST_DIMS = (
    *("turn_x", "turn_y", "turn_z", "shift_x", "shift_y", "log_scale"),
    *("brow_left", "brow_right", "eye_left", "eye_right", "gaze_x", "gaze_y"),
)
"""Turns in radians (rotation vector); shifts in inter-ocular distances and log_scale both relative to the
track's median; brows: height above the template's; eyes: lid opening; gaze: iris from the middle of the eye."""


def rest_motion(residual: np.ndarray, pose: Pose) -> np.ndarray:
    """Measure [k, r] from aligned landmarks minus template [k, 478, 3] and the pose."""
    brows = [-residual[:, list(points), 1].mean(1) for points in BROWS]
    eyes = [residual[:, lower, 1] - residual[:, upper, 1] for upper, lower in EYELIDS]
    gaze = np.mean(
        [
            residual[:, iris, :2] - residual[:, list(eye), :2].mean(1)
            for iris, eye in zip(IRISES, EYE_CORNERS, strict=True)
        ],
        axis=0,
    )
    return np.column_stack([_head(pose), *brows, *eyes, gaze])


def turns(pose: Pose) -> np.ndarray:
    """Rotation vectors [k, 3] in radians: nodding (x), turning (y), tilting (z)."""
    return np.array([cv2.Rodrigues(matrix.T)[0][:, 0] for matrix in pose.rotation])


def _head(pose: Pose) -> np.ndarray:
    scale = np.median(pose.scale)
    shift = (pose.shift[:, :2] - np.median(pose.shift[:, :2], axis=0)) / scale
    return np.column_stack([turns(pose), shift, np.log(pose.scale / scale)])
