"""M: where a face's keypoints are and how it is turned, from one picture. ConvNeXt V2 (arXiv 2301.00808), tiny.

Letters: b pictures, h and w height and width, c channels.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

KEYPOINTS = 21
ANGLE_BINS = 66
_DEPTHS, _WIDTHS = (3, 3, 9, 3), (96, 192, 384, 768)
_EPSILON = 1e-6


@dataclass(frozen=True)
class RawMotion:
    """What the network says, before it is put into units: angles as scores of bins of 3 degrees."""

    pitch: Float[Tensor, "b 66"]
    yaw: Float[Tensor, "b 66"]
    roll: Float[Tensor, "b 66"]
    t: Float[Tensor, "b 3"]
    exp: Float[Tensor, "b 63"]
    scale: Float[Tensor, "b 1"]
    kp: Float[Tensor, "b 63"]


class MotionExtractor(nn.Module):
    """Pictures in 0 to 1 to the motion of the face in them."""

    def __init__(self) -> None:
        super().__init__()
        self.detector = _ConvNext()

    def forward(self, picture: Float[Tensor, "b 3 256 256"]) -> RawMotion:
        raw: RawMotion = self.detector(picture)
        return raw


class _ConvNext(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        first = nn.Sequential(nn.Conv2d(3, _WIDTHS[0], 4, stride=4), _ChannelNorm(_WIDTHS[0]))
        halving = (
            nn.Sequential(_ChannelNorm(inputs), nn.Conv2d(inputs, outputs, 2, stride=2))
            for inputs, outputs in pairwise(_WIDTHS)
        )
        self.downsample_layers = nn.ModuleList([first, *halving])
        self.stages = nn.ModuleList(
            nn.Sequential(*(_Block(width) for _ in range(depth))) for depth, width in zip(_DEPTHS, _WIDTHS, strict=True)
        )
        self.norm = nn.LayerNorm(_WIDTHS[-1], eps=_EPSILON)
        self.fc_kp = nn.Linear(_WIDTHS[-1], 3 * KEYPOINTS)
        self.fc_scale = nn.Linear(_WIDTHS[-1], 1)
        self.fc_pitch = nn.Linear(_WIDTHS[-1], ANGLE_BINS)
        self.fc_yaw = nn.Linear(_WIDTHS[-1], ANGLE_BINS)
        self.fc_roll = nn.Linear(_WIDTHS[-1], ANGLE_BINS)
        self.fc_t = nn.Linear(_WIDTHS[-1], 3)
        self.fc_exp = nn.Linear(_WIDTHS[-1], 3 * KEYPOINTS)

    def forward(self, x: Float[Tensor, "b 3 h w"]) -> RawMotion:
        for halve, stage in zip(self.downsample_layers, self.stages, strict=True):
            x = stage(halve(x))
        pooled = self.norm(x.mean(dim=(2, 3)))
        return RawMotion(
            pitch=self.fc_pitch(pooled),
            yaw=self.fc_yaw(pooled),
            roll=self.fc_roll(pooled),
            t=self.fc_t(pooled),
            exp=self.fc_exp(pooled),
            scale=self.fc_scale(pooled),
            kp=self.fc_kp(pooled),
        )


class _ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=_EPSILON)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class _ResponseNorm(nn.Module):
    """Global response normalisation over height and width."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, 1, 1, channels))
        self.beta = nn.Parameter(torch.zeros(1, 1, 1, channels))

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        response = x.norm(dim=(1, 2), keepdim=True)
        relative = response / (response.mean(dim=-1, keepdim=True) + _EPSILON)
        return self.gamma * (x * relative) + self.beta + x


class _Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=_EPSILON)
        self.pwconv1 = nn.Linear(channels, 4 * channels)
        self.grn = _ResponseNorm(4 * channels)
        self.pwconv2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        inner = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        inner = self.pwconv2(self.grn(F.gelu(self.pwconv1(inner))))
        out: Tensor = x + inner.permute(0, 3, 1, 2)
        return out
