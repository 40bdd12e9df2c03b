"""One face's motion put onto another: which numbers change, from what, and the corrections after it.

Letters: b frames. Source: LivePortrait, section 5 of its pipeline (MIT); the code is our own.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.liveportrait.motion_extractor import KEYPOINTS
from models.liveportrait.pose import FaceMotion

RegionName = Literal["lip", "eyes", "exp", "pose", "all"]

LIP_ROWS = (6, 12, 14, 17, 19, 20)
"""LivePortrait's own choice of the keypoints that move with the lips; 6 and 12 hardly do."""
EYE_ROWS = (11, 13, 15, 16, 18)
_SPEAKING_ROWS = (1, 2, 6, *range(11, 21))
_SPEAKING_AXES = ((3, 1), (4, 1), (5, 2), (8, 2), (9, 1), (9, 2))

# fmt: off
_NEUTRAL_MILLIONTHS = (
    (-95, 242, -40), (209, 468, 13), (-125, 325, 4), (120, -457, 54), (-265, -75, -16), (-33, -183, -3), (0, 0, 2),
    (-541, 2633, 7), (-12, 5, 10), (1, 5, -409), (167, -20, -89), (-15, 83, 6), (0, 3, 2), (-66, -68, -3),
    (-833, -1796, -3), (7, 37, -2), (-5, 7, -10), (-637, -1166, 56), (283, -15, 11), (-4, -15091, -2549),
    (222, 5628, 2726),
)
# fmt: on
"""Expression of closed lips, LivePortrait's `lip_array`: what a single driving picture is taken relative to."""

Smooth = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Region:
    """What is driven.

    Attributes:
        expression: Which numbers of the expression.
        turns: Whether the head's rotation and place are, too.
        scales: Whether its size is, too.
    """

    expression: Bool[Tensor, "21 3"]
    turns: bool = False
    scales: bool = False


def region(name: RegionName) -> Region:
    """LivePortrait's regions."""
    expression = torch.zeros(KEYPOINTS, 3, dtype=torch.bool)
    if name in ("lip", "eyes"):
        expression[list(LIP_ROWS if name == "lip" else EYE_ROWS)] = True
    elif name in ("exp", "all"):
        expression[list(_SPEAKING_ROWS)] = True
        for row, axis in _SPEAKING_AXES:
            expression[row, axis] = True
    return Region(expression, turns=name in ("pose", "all"), scales=name == "all")


def absolute(source: FaceMotion, driving: FaceMotion, driven: Region) -> FaceMotion:
    """The driving motion itself, where the region says so; the face keeps its size."""
    return FaceMotion(
        canonical=source.canonical,
        expression=torch.where(driven.expression, driving.expression, source.expression),
        rotation=driving.rotation if driven.turns else source.rotation,
        translation=driving.translation if driven.turns else source.translation,
        scale=source.scale,
    )


def relative(source: FaceMotion, driving: FaceMotion, driven: Region, rest: Float[Tensor, "21 3"]) -> FaceMotion:
    """What the driving motion changes since its first frame, on top of the source's.

    Args:
        rest: The expression that counts as none: the first driving frame's, or `neutral()`.
    """
    expression = source.expression + (driving.expression - rest)
    turn = driving.rotation @ driving.rotation[:1].transpose(1, 2)
    moved = source.translation + driving.translation - driving.translation[:1]
    grown = source.scale * driving.scale / driving.scale[:1]
    return FaceMotion(
        canonical=source.canonical,
        expression=torch.where(driven.expression, expression, source.expression),
        rotation=turn @ source.rotation if driven.turns else source.rotation,
        translation=moved if driven.turns else source.translation,
        scale=grown if driven.scales else source.scale,
    )


def neutral() -> Float[Tensor, "21 3"]:
    """The expression of closed lips."""
    return torch.tensor(_NEUTRAL_MILLIONTHS) * 1e-6


def smoothed(motion: FaceMotion, smooth: Smooth) -> FaceMotion:
    """Expression and rotation of a film, smoothed over time; rotations are then no longer quite orthogonal."""
    return replace(
        motion,
        expression=_over_time(motion.expression, smooth),
        rotation=_over_time(motion.rotation, smooth),
    )


def _over_time(values: Tensor, smooth: Smooth) -> Tensor:
    return torch.from_numpy(smooth(values.flatten(1).numpy())).reshape(values.shape).to(values.dtype)


def multiplier(source: Float[Tensor, "k 3"], driving: Float[Tensor, "k 3"]) -> float:
    """How much larger the source's face is than the driving one: the root of both hulls' volumes."""
    from scipy.spatial import ConvexHull

    volumes = [ConvexHull(keypoints.numpy()).volume for keypoints in (source, driving)]
    return float(np.sqrt(volumes[0] / volumes[1]))
