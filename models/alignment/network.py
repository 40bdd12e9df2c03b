"""The frame classifier. Letters: b batch, n frames in, m = n * upsample frames out, c channels."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import nn

_KERNEL_FRAMES = 3
_STEM_FRAMES = 5
_DILATION_CYCLE = 5  # 1, 2, 4, 8, 16, then again


@dataclass(frozen=True)
class FrameClassifierConfig:
    """Sizes of the network: numbers a frame, channels, residual blocks, classes, frames out for each frame in.

    With 128 channels and 6 blocks it has about half a million parameters, and sees 34 frames in to either side.
    """

    inputs: int
    width: int
    depth: int
    classes: int
    upsample: int = 1
    dropout: float = 0.1

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, sizes: dict[str, Any]) -> Self:
        """Raises: TypeError, where a name is unknown or missing."""
        return cls(**sizes)


class FrameClassifier(nn.Module):
    """Frames of any kind (mel bands, motion numbers) to class logits, by dilated convolutions.

    Its inputs are standardised inside, by means and deviations seen in training. Most of the work is done at their
    rate; a last block sees the finer frames. Frame j out is centred at frame (j + 0.5) / upsample - 0.5 in.
    """

    def __init__(self, config: FrameClassifierConfig) -> None:
        super().__init__()
        self.config = config
        c = config.width
        self.standardise = nn.BatchNorm1d(config.inputs, affine=False)
        self.stem = nn.Conv1d(config.inputs, c, _STEM_FRAMES, padding=_STEM_FRAMES // 2)
        self.blocks = nn.ModuleList(
            DilatedBlock(c, 2 ** (block % _DILATION_CYCLE), config.dropout) for block in range(config.depth)
        )
        self.split = nn.Conv1d(c, c * config.upsample, 1)
        self.last = DilatedBlock(c, 1, config.dropout)
        self.head = nn.Sequential(nn.BatchNorm1d(c), nn.GELU(), nn.Conv1d(c, config.classes, 1))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """[b, n, inputs] -> logits [b, n * upsample, classes]."""
        hidden = self.stem(self.standardise(frames.transpose(1, 2)))  # [b, c, n]
        for block in self.blocks:
            hidden = block(hidden)
        finer = self.split(hidden).unflatten(1, (self.config.width, self.config.upsample))  # [b, c, upsample, n]
        hidden = self.last(finer.transpose(2, 3).flatten(2))  # [b, c, m]
        logits: torch.Tensor = self.head(hidden).transpose(1, 2)
        return logits


class DilatedBlock(nn.Module):
    """A residual block: normalised, convolved at a dilation, mixed."""

    def __init__(self, channels: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm1d(channels),
            nn.Conv1d(channels, channels, _KERNEL_FRAMES, padding=dilation, dilation=dilation),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Conv1d(channels, channels, 1),
        )

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        added: torch.Tensor = hidden + self.layers(hidden)
        return added
