"""The `facemesh` motion space: what a mouth does, in twelve numbers that are linear in pose-free landmarks.

Lengths are inter-ocular distances (between the centres of the eyes). Letters: k frames, m = 12 mouth numbers,
r = 12 rest numbers.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from safetensors.numpy import load

from models.facemesh.align import Pose, fit_pose
from models.facemesh.rest import REST_DIMS, rest_motion
from models.facemesh.topology import STABLE
from schemas.motion import MotionSpace

FPS = 25.0
MOUTH_DIMS = ("aperture", "width", "rounding", "corner_height", *(f"detail_{i}" for i in range(1, 9)))
APERTURE = 0


@dataclass(frozen=True)
class Basis:
    """The fitted numbers of the space (see fit.py).

    Attributes:
        template: [478, 3] the mean face, symmetric, eyes' midpoint at 0, x right, y down.
        measure, offset: [12, 478, 3] and [12], mouth = measure · aligned - offset.
        move: [478, 3, 12], the likeliest displacement of the face for one unit of each mouth number.
        triangles: [n, 3] of landmarks and (from 478 on) the ring around the jaw; covers lips, mouth, cheeks, chin.
        mean, std: [24] of [mouth; rest] over the corpus.
    """

    template: np.ndarray
    measure: np.ndarray
    offset: np.ndarray
    move: np.ndarray
    triangles: np.ndarray
    mean: np.ndarray
    std: np.ndarray


@dataclass(frozen=True)
class Encoded:
    """A face's motion at the frames it was seen: mouth [k, 12], rest [k, 12], and the pose that was removed."""

    mouth: np.ndarray
    rest: np.ndarray
    pose: Pose


@cache
def basis() -> Basis:
    """Read the packaged basis (once per process; it is constant)."""
    stored = load((resources.files("models.facemesh") / "basis.safetensors").read_bytes())
    return Basis(**{name: stored[name] for name in Basis.__dataclass_fields__})


@cache
def moving_triangles() -> np.ndarray:
    """The triangles [t, 3] of which a corner can move."""
    fitted = basis()
    can_move = np.abs(fitted.move).sum((1, 2)) > 0
    with_ring = np.concatenate([can_move, np.zeros(fitted.triangles.max() + 1 - len(can_move), dtype=bool)])
    return np.asarray(fitted.triangles[with_ring[fitted.triangles].any(axis=1)])


def space() -> MotionSpace:
    """Describe the space."""
    fitted = basis()
    mean, std = (tuple(float(value) for value in array) for array in (fitted.mean, fitted.std))
    return MotionSpace(name="facemesh", fps=FPS, mouth_dims=MOUTH_DIMS, rest_dims=REST_DIMS, mean=mean, std=std)


def encode(landmarks: np.ndarray) -> Encoded:
    """Write landmarks [k, 478, 3] (pixels, frames of one track in order) in the space's numbers."""
    fitted = basis()
    points = np.asarray(landmarks, dtype=np.float64)
    pose = fit_pose(points[:, STABLE], fitted.template[STABLE])
    aligned = pose.to_aligned(points)
    mouth = np.einsum("mpc,kpc->km", fitted.measure, aligned) - fitted.offset
    rest = rest_motion(aligned - fitted.template, pose)
    return Encoded(mouth.astype(np.float32), rest.astype(np.float32), pose)


def displace(landmarks: np.ndarray, mouth_delta: np.ndarray) -> np.ndarray:
    """Move the lower face so that its mouth numbers change by `mouth_delta` [k, 12]; the upper face stays.

    The displacement is the likeliest one under the corpus' covariance C of the lower face,
    `C Aᵀ (A C Aᵀ + λ)⁻¹ Δm`, turned back into each frame.

    Returns: [k, 478, 3] float32, pixels.
    """
    fitted = basis()
    points = np.asarray(landmarks, dtype=np.float64)
    pose = fit_pose(points[:, STABLE], fitted.template[STABLE])
    moved = np.einsum("pcm,km->kpc", fitted.move, np.asarray(mouth_delta, dtype=np.float64))
    return (points + pose.scale[:, None, None] * (moved @ pose.rotation)).astype(np.float32)
