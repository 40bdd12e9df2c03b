"""What the networks are built of; names and order of the parts are those of the released weights.

Letters: b pictures, c channels, d depth, h and w height and width.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class Same2d(nn.Module):
    """Convolution, batch norm, activation at one size."""

    def __init__(self, inputs: int, outputs: int, activation: nn.Module) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = nn.BatchNorm2d(outputs)
        self._activation = activation

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h w"]:
        out: Tensor = self._activation(self.norm(self.conv(x)))
        return out


class Down2d(Same2d):
    """The same, then half the size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, nn.ReLU())

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h/2 w/2"]:
        return F.avg_pool2d(super().forward(x), 2)


class Down3d(nn.Module):
    """A volume at half its height and width."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(inputs, outputs, 3, padding=1)
        self.norm = nn.BatchNorm3d(outputs)

    def forward(self, x: Float[Tensor, "b c d h w"]) -> Float[Tensor, "b c2 d h/2 w/2"]:
        return F.avg_pool3d(F.relu(self.norm(self.conv(x))), (1, 2, 2))


class Up3d(nn.Module):
    """A volume at twice its height and width."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(inputs, outputs, 3, padding=1)
        self.norm = nn.BatchNorm3d(outputs)

    def forward(self, x: Float[Tensor, "b c d h w"]) -> Float[Tensor, "b c2 d 2h 2w"]:
        return F.relu(self.norm(self.conv(F.interpolate(x, scale_factor=(1, 2, 2)))))


class Residual3d(nn.Module):
    """Two convolutions beside the volume itself."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv3d(channels, channels, 3, padding=1)
        self.norm1 = nn.BatchNorm3d(channels)
        self.norm2 = nn.BatchNorm3d(channels)

    def forward(self, x: Float[Tensor, "b c d h w"]) -> Float[Tensor, "b c d h w"]:
        inner = self.conv1(F.relu(self.norm1(x)))
        out: Tensor = x + self.conv2(F.relu(self.norm2(inner)))
        return out


class Hourglass3d(nn.Module):
    """A U-Net over a volume that keeps its depth."""

    def __init__(self, base: int, inputs: int, blocks: int, widest: int) -> None:
        super().__init__()
        widths = [min(widest, base * 2**level) for level in range(blocks + 1)]
        self.outputs = base + inputs
        self.encoder = _Encoder(inputs, widths)
        self.decoder = _Decoder(widths, self.outputs)

    def forward(self, x: Float[Tensor, "b c d h w"]) -> Float[Tensor, "b c2 d h w"]:
        out: Tensor = self.decoder(self.encoder(x))
        return out


class _Encoder(nn.Module):
    def __init__(self, inputs: int, widths: list[int]) -> None:
        super().__init__()
        pairs = pairwise([inputs, *widths[1:]])
        self.down_blocks = nn.ModuleList(Down3d(narrow, wide) for narrow, wide in pairs)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The input and what each level made of it."""
        seen = [x]
        for down in self.down_blocks:
            seen.append(down(seen[-1]))
        return seen


class _Decoder(nn.Module):
    def __init__(self, widths: list[int], outputs: int) -> None:
        super().__init__()
        deepest = len(widths) - 2
        self.up_blocks = nn.ModuleList(
            Up3d((1 if level == deepest else 2) * widths[level + 1], widths[level]) for level in range(deepest, -1, -1)
        )
        self.conv = nn.Conv3d(outputs, outputs, 3, padding=1)
        self.norm = nn.BatchNorm3d(outputs)

    def forward(self, seen: list[Tensor]) -> Tensor:
        *skipped, out = seen
        for up in self.up_blocks:
            out = torch.cat([up(out), skipped.pop()], dim=1)
        return F.relu(self.norm(self.conv(out)))
