"""W: an appearance volume moved from one set of keypoints to another.

Letters: b pictures, k keypoints, c channels; d, h and w of the volume. Coordinates (x, y, z) run
from -1 to 1.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from models.liveportrait.appearance import CHANNELS, DEPTH
from models.liveportrait.blocks import Hourglass3d, Same2d
from models.liveportrait.motion_extractor import KEYPOINTS

_COMPRESSED = 4
_VARIANCE = 0.01
"""Of the heat around a keypoint."""


@dataclass(frozen=True)
class DenseMotion:
    """Where each point of the new volume comes from.

    Attributes:
        deformation: Coordinates in the old volume.
        occlusion: How much of each column is there in the old volume, 0 to 1.
        shares: Of each keypoint's motion, the standing background's first.
    """

    deformation: Float[Tensor, "b d h w 3"]
    occlusion: Float[Tensor, "b 1 h w"]
    shares: Float[Tensor, "b k1 d h w"]


class Warping(nn.Module):
    """Features of a new picture from those of an old one and the keypoints of both."""

    def __init__(self) -> None:
        super().__init__()
        self.dense_motion_network = _DenseMotion()
        self.third = Same2d(CHANNELS * DEPTH, 256, nn.LeakyReLU(0.01))
        self.fourth = nn.Conv2d(256, 256, 1)

    def forward(
        self,
        volume: Float[Tensor, "b 32 16 64 64"],
        source: Float[Tensor, "b 21 3"],
        driving: Float[Tensor, "b 21 3"],
    ) -> Float[Tensor, "b 256 64 64"]:
        return self.warp(volume, self.motion(volume, source, driving))

    def motion(self, volume: Tensor, source: Tensor, driving: Tensor) -> DenseMotion:
        """Where everything comes from."""
        found: DenseMotion = self.dense_motion_network(volume, source, driving)
        return found

    def warp(self, volume: Tensor, motion: DenseMotion) -> Float[Tensor, "b 256 64 64"]:
        """Move the volume, flatten it, and fade what was hidden."""
        moved = F.grid_sample(volume, motion.deformation, align_corners=False)
        out: Tensor = self.fourth(self.third(moved.flatten(1, 2))) * motion.occlusion
        return out


class _DenseMotion(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hourglass = Hourglass3d(32, (KEYPOINTS + 1) * (_COMPRESSED + 1), 5, 1024)
        self.mask = nn.Conv3d(self.hourglass.outputs, KEYPOINTS + 1, 7, padding=3)
        self.compress = nn.Conv3d(CHANNELS, _COMPRESSED, 1)
        self.norm = nn.BatchNorm3d(_COMPRESSED)
        self.occlusion = nn.Conv2d(self.hourglass.outputs * DEPTH, 1, 7, padding=3)

    def forward(self, volume: Tensor, source: Tensor, driving: Tensor) -> DenseMotion:
        compressed = F.relu(self.norm(self.compress(volume)))
        motions = candidate_motions(compressed, source, driving)
        moved = _moved_by_each(compressed, motions)
        heat = _heat(driving, compressed) - _heat(source, compressed)
        heat = F.pad(heat, (0, 0, 0, 0, 0, 0, 1, 0))[:, :, None]  # the background has none
        seen = self.hourglass(torch.cat([heat, moved], dim=2).flatten(1, 2))
        shares = self.mask(seen).softmax(dim=1)
        return DenseMotion(
            deformation=torch.einsum("bkdhw,bkdhwi->bdhwi", shares, motions),
            occlusion=self.occlusion(seen.flatten(1, 2)).sigmoid(),
            shares=shares,
        )


def candidate_motions(
    like: Float[Tensor, "b c d h w"], source: Float[Tensor, "b k 3"], driving: Float[Tensor, "b k 3"]
) -> Float[Tensor, "b k1 d h w 3"]:
    """Where each point comes from if it stands still, or moves with one of the keypoints."""
    grid = coordinates(like)
    shift = F.pad(source - driving, (0, 0, 1, 0))  # the background's is zero
    return grid + shift[:, :, None, None, None]


def coordinates(like: Float[Tensor, "b c d h w"]) -> Float[Tensor, "d h w 3"]:
    """(x, y, z) of the points of a volume, its corners at -1 and 1."""
    z, y, x = (torch.linspace(-1, 1, size, device=like.device, dtype=like.dtype) for size in like.shape[2:])
    return torch.stack(torch.meshgrid(z, y, x, indexing="ij")[::-1], dim=-1)


def _moved_by_each(
    compressed: Float[Tensor, "b c d h w"], motions: Float[Tensor, "b k1 d h w 3"]
) -> Float[Tensor, "b k1 c d h w"]:
    count = motions.shape[1]
    repeated = compressed[:, None].expand(-1, count, -1, -1, -1, -1).flatten(0, 1)
    moved = F.grid_sample(repeated, motions.flatten(0, 1), align_corners=False)
    return moved.unflatten(0, (-1, count))


def _heat(keypoints: Float[Tensor, "b k 3"], like: Float[Tensor, "b c d h w"]) -> Float[Tensor, "b k d h w"]:
    """A Gaussian around each keypoint: the product of three along the axes."""
    x, y, z = (
        _bell(torch.linspace(-1, 1, size, device=like.device) - keypoints[..., axis, None])
        for axis, size in enumerate(reversed(like.shape[2:]))
    )
    return torch.einsum("bkz,bky,bkx->bkzyx", z, y, x).to(like.dtype)


def _bell(distance: Tensor) -> Tensor:
    return torch.exp(-0.5 * distance**2 / _VARIANCE)
