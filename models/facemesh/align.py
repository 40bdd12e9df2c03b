"""Rigid alignment of faces to a template: what remains is expression. Letters: k frames, p points."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter


@dataclass(frozen=True)
class Pose:
    """How the template lies in the picture: `landmark = scale · (aligned @ rotation) + shift`.

    Attributes:
        scale: [k] pixels per inter-ocular distance.
        rotation: [k, 3, 3] orthonormal.
        shift: [k, 3] pixels.
    """

    scale: np.ndarray
    rotation: np.ndarray
    shift: np.ndarray

    def to_aligned(self, landmarks: np.ndarray) -> np.ndarray:
        """[k, p, 3] pixels to template coordinates."""
        return (landmarks - self.shift[:, None]) @ self.rotation.transpose(0, 2, 1) / self.scale[:, None, None]

    def to_picture(self, aligned: np.ndarray) -> np.ndarray:
        """[k, p, 3] template coordinates to pixels."""
        return self.scale[:, None, None] * (aligned @ self.rotation) + self.shift[:, None]


def fit_pose(points: np.ndarray, template: np.ndarray, *, scale_sigma_frames: float = 3.0) -> Pose:
    """Find the similarity that lays `template` [p, 3] onto each of `points` [k, p, 3], least squares.

    The scale is smoothed over time: a head's distance changes slowly, its detection jitters.

    Source: Umeyama 1991, doi:10.1109/34.88573.
    """
    centre, origin = points.mean(1), template.mean(0)
    centred, reference = points - centre[:, None], template - origin
    u, singular, vt = np.linalg.svd(reference.T @ centred)
    handed = np.sign(np.linalg.det(u @ vt))
    u[:, :, 2] *= handed[:, None]
    singular[:, 2] *= handed
    rotation = u @ vt
    scale = _smooth(singular.sum(1) / np.sum(reference**2), scale_sigma_frames)
    shift = centre - scale[:, None] * (origin @ rotation)
    return Pose(scale, rotation, shift)


def _smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    if len(values) < 3 or sigma <= 0:
        return values
    return gaussian_filter1d(median_filter(values, size=5, mode="nearest"), sigma, mode="nearest")
