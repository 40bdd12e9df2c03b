"""S and R: small corrections of keypoints, for a seam that does not show, and for lips and eyes of a wanted opening.

Letters: b frames.
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.liveportrait.motion_extractor import KEYPOINTS

_FLAT = 3 * KEYPOINTS


class Correction(nn.Module):
    """Layers with ReLU between them."""

    def __init__(self, *widths: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.mlp = nn.Sequential(*layers[:-1])

    def forward(self, x: Float[Tensor, "b i"]) -> Float[Tensor, "b o"]:
        out: Tensor = self.mlp(x)
        return out


def stitching() -> Correction:
    """Of source and driving keypoints: an offset of each, and of all in x and y."""
    return Correction(2 * _FLAT, 128, 128, 64, _FLAT + 2)


def lip() -> Correction:
    """Of source keypoints, and how open their lips are and are to be."""
    return Correction(_FLAT + 2, 128, 128, 64, _FLAT)


def eye() -> Correction:
    """Of source keypoints, and how open both eyes are and are to be."""
    return Correction(_FLAT + 3, 256, 256, 128, 128, 64, _FLAT)


def stitched(
    network: Correction, source: Float[Tensor, "b 21 3"], driving: Float[Tensor, "b 21 3"]
) -> Float[Tensor, "b 21 3"]:
    """Driving keypoints that meet the source's shoulders and hair."""
    offset = network(torch.cat([source.flatten(1), driving.flatten(1)], dim=1))
    moved = driving + offset[:, :_FLAT].unflatten(1, (KEYPOINTS, 3))
    shift = torch.nn.functional.pad(offset[:, None, _FLAT:], (0, 1))  # none in z
    return moved + shift


def retargeted(
    network: Correction, source: Float[Tensor, "b 21 3"], ratios: Float[Tensor, "b r"]
) -> Float[Tensor, "b 21 3"]:
    """The offset of keypoints that opens lips or eyes as wanted (see models.liveportrait.ratios)."""
    offset: Tensor = network(torch.cat([source.flatten(1), ratios], dim=1))
    return offset.unflatten(1, (KEYPOINTS, 3))
