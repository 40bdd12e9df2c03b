"""The regressor. Letters: b batch, t mel frames at 100 Hz, k = t / 4 motion frames at 25 Hz, c channels."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import nn

from models.alignment.network import DilatedBlock


@dataclass(frozen=True)
class RegressorConfig:
    """Sizes of the network; with these, 0.24 M parameters that see 0.4 s to either side."""

    bands: int = 32
    channels: int = 96
    outputs: int = 12
    dilations: tuple[int, ...] = (1, 2, 4, 1)
    dropout: float = 0.25

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, sizes: dict[str, Any]) -> Self:
        """Raises: TypeError, where a name is unknown."""
        given: dict[str, Any] = {name: tuple(size) if isinstance(size, list) else size for name, size in sizes.items()}
        return cls(**given)


class MouthRegressor(nn.Module):
    """Mel frames to z-scored mouth vectors, by plain convolutions: it has no memory beyond what it sees."""

    def __init__(self, config: RegressorConfig) -> None:
        super().__init__()
        c = config.channels
        self.stem = nn.Sequential(
            nn.Conv1d(config.bands, c, 5, padding=2),
            nn.GELU(),
            nn.Conv1d(c, c, 8, stride=4, padding=2),
            nn.GELU(),
        )
        self.blocks = nn.ModuleList(DilatedBlock(c, dilation, config.dropout) for dilation in config.dilations)
        self.head = nn.Conv1d(c, config.outputs, 1)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        """[b, t, bands] -> [b, t / 4, outputs]; t is a multiple of 4."""
        hidden = self.stem(mel.transpose(1, 2))  # [b, c, k]
        for block in self.blocks:
            hidden = block(hidden)
        out: torch.Tensor = self.head(hidden).transpose(1, 2)  # [b, k, outputs]
        return out
