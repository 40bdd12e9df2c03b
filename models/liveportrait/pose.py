"""From what the motion extractor says to keypoints: degrees, rotations, and x = s (x_c R + delta) + t.

Letters: b frames, k keypoints. The equation is LivePortrait's (arXiv 2407.03168, eq. 2): the expression delta is added
after the rotation, and t has no share in z.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.liveportrait.motion_extractor import ANGLE_BINS, KEYPOINTS, RawMotion

_BIN_DEGREES, _FIRST_DEGREES = 3.0, -97.5


@dataclass(frozen=True)
class FaceMotion:
    """What the faces of some frames do.

    Attributes:
        canonical: The face's own keypoints, x_c.
        expression: Their offsets, delta, along the picture's axes.
        rotation: R, for row vectors.
        translation: t; its z is not used.
        scale: s.
    """

    canonical: Float[Tensor, "b k 3"]
    expression: Float[Tensor, "b k 3"]
    rotation: Float[Tensor, "b 3 3"]
    translation: Float[Tensor, "b 3"]
    scale: Float[Tensor, "b 1"]

    @property
    def keypoints(self) -> Float[Tensor, "b k 3"]:
        """Where the keypoints are in the picture, from -1 to 1."""
        placed = self.scale[:, None] * (self.canonical @ self.rotation + self.expression)
        return placed + torch.nn.functional.pad(self.translation[:, None, :2], (0, 1))

    def __len__(self) -> int:
        return len(self.canonical)

    def at(self, frames: slice) -> "FaceMotion":
        """Some of the frames."""
        return FaceMotion(**{name: part[frames] for name, part in vars(self).items()})

    def repeated(self, frames: int) -> "FaceMotion":
        """One frame's motion, held."""
        return FaceMotion(**{name: part[:1].expand(frames, *part.shape[1:]) for name, part in vars(self).items()})


def face_motion(raw: RawMotion) -> FaceMotion:
    """Put the extractor's numbers into units."""
    angles = (degrees(scores) for scores in (raw.pitch, raw.yaw, raw.roll))
    return FaceMotion(
        canonical=raw.kp.unflatten(1, (KEYPOINTS, 3)),
        expression=raw.exp.unflatten(1, (KEYPOINTS, 3)),
        rotation=rotation(*angles),
        translation=raw.t,
        scale=raw.scale,
    )


def degrees(scores: Float[Tensor, "b 66"]) -> Float[Tensor, " b"]:
    """The angle that scores of 66 bins of 3 degrees expect, from -97.5 on."""
    bins = torch.arange(ANGLE_BINS, device=scores.device, dtype=scores.dtype)
    return (scores.softmax(dim=1) * bins).sum(dim=1) * _BIN_DEGREES + _FIRST_DEGREES


def rotation(pitch: Float[Tensor, " b"], yaw: Float[Tensor, " b"], roll: Float[Tensor, " b"]) -> Float[Tensor, "b 3 3"]:
    """(Rz Ry Rx) transposed, of angles in degrees: it turns rows from the right."""
    x, y, z = (angle * (math.pi / 180) for angle in (pitch, yaw, roll))
    zero, one = torch.zeros_like(x), torch.ones_like(x)

    def matrix(*entries: Tensor) -> Tensor:
        return torch.stack(entries, dim=1).unflatten(1, (3, 3))

    about_x = matrix(one, zero, zero, zero, x.cos(), -x.sin(), zero, x.sin(), x.cos())
    about_y = matrix(y.cos(), zero, y.sin(), zero, one, zero, -y.sin(), zero, y.cos())
    about_z = matrix(z.cos(), -z.sin(), zero, z.sin(), z.cos(), zero, zero, zero, one)
    return (about_z @ about_y @ about_x).transpose(1, 2)
