"""The pieces of a DiT block, in F5-TTS's form. Letters: b batch, n frames, w width, h heads, d head width."""

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from models.jamflow.attention import QKV, rotate
from models.jamflow.config import TrunkConfig

_EPS = 1e-6
_TIME_WIDTH = 256
_TIME_SCALE = 1000.0


class TimeEmbedding(nn.Module):
    """Flow time to a vector: sines and cosines of 1000 t, then two layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.widen = nn.Linear(_TIME_WIDTH, width)
        self.mix = nn.Linear(width, width)

    def forward(self, t: Float[Tensor, " b"]) -> Float[Tensor, "b w"]:
        half = _TIME_WIDTH // 2
        rates = torch.exp(torch.arange(half, device=t.device) * (-math.log(10000.0) / (half - 1)))
        angles = _TIME_SCALE * t[:, None].float() * rates
        waves = torch.cat([angles.sin(), angles.cos()], dim=-1)
        out: Tensor = self.mix(F.silu(self.widen(waves.to(self.widen.weight.dtype))))
        return out


class ConvPosition(nn.Module):
    """Two grouped convolutions that tell frames where they are; padded frames are kept at zero."""

    def __init__(self, width: int, kernel: int, groups: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=groups) for _ in range(2)
        )

    def forward(self, x: Float[Tensor, "b n w"], valid: Bool[Tensor, "b n"] | None) -> Float[Tensor, "b n w"]:
        hidden = silenced(x, valid).transpose(1, 2)  # [b, w, n]
        for convolution in self.convolutions:
            hidden = F.mish(convolution(hidden))
            if valid is not None:
                hidden = hidden * valid[:, None]
        return hidden.transpose(1, 2)


@dataclass(frozen=True)
class Modulation:
    """What flow time does to one pass: [k, 6, w] for each block and [k, 2, w] for the end; k = b, or 1 for all."""

    blocks: tuple[Tensor, ...]
    end: Tensor

    def at(self, index: int) -> "Modulation":
        """The modulation of one of several times, for all clips."""
        return Modulation(tuple(block[index : index + 1] for block in self.blocks), self.end[index : index + 1])


class GeluLinear(nn.Linear):
    """A linear layer and its GELU (the tanh form), in one module so that both can run in one kernel."""

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(super().forward(x), approximate="tanh")


class Block(nn.Module):
    """A DiT block in two halves, so that attention can be given keys of another stream in between."""

    def __init__(self, config: TrunkConfig) -> None:
        super().__init__()
        width, inner = config.width, config.attention_width
        self.heads, self.rotary_heads = config.heads, config.rotary_heads
        self.modulation = nn.Linear(width, 6 * width)
        self.qkv = nn.Linear(width, 3 * inner)
        self.out = nn.Linear(inner, width)
        self.widen = GeluLinear(width, config.ff_mult * width)
        self.narrow = nn.Linear(config.ff_mult * width, width)
        self.dropout = nn.Dropout(config.dropout)

    def open(self, x: Float[Tensor, "b n w"], modulation: Float[Tensor, "k 6 w"], turns: Tensor) -> QKV:
        """Normalise and project: queries and keys with their rotary positions, values."""
        normed = modulated_norm(x, shift=modulation[:, 0], scale=modulation[:, 1])
        projected = self.qkv(normed).unflatten(-1, (3, self.heads, -1))  # [b, n, 3, h, d]
        q, k = rotate(projected[:, :, :2], turns, self.rotary_heads).unbind(2)
        return QKV(*(part.transpose(1, 2) for part in (q, k, projected[:, :, 2])))

    def close(
        self, x: Float[Tensor, "b n w"], attended: Tensor, modulation: Tensor, valid: Bool[Tensor, "b n"] | None
    ) -> Float[Tensor, "b n w"]:
        """Add what was attended to [b, h, n, d], then the feed-forward part."""
        attended = self.dropout(self.out(attended.transpose(1, 2).flatten(2)))
        x = torch.addcmul(x, modulation[:, 2:3], silenced(attended, valid))
        normed = modulated_norm(x, shift=modulation[:, 3], scale=modulation[:, 4])
        return torch.addcmul(x, modulation[:, 5:6], self.narrow(self.dropout(self.widen(normed))))


class Trunk(nn.Module):
    """Everything of a DiT but its inputs: positions, time, blocks, and the projection to a velocity."""

    def __init__(self, config: TrunkConfig, outputs: int) -> None:
        super().__init__()
        self.time = TimeEmbedding(config.width)
        self.position = ConvPosition(config.width, config.position_kernel, config.position_groups)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.end_modulation = nn.Linear(config.width, 2 * config.width)
        self.velocity = nn.Linear(config.width, outputs)
        self.start_as_zero()

    def start_as_zero(self) -> None:
        """A new trunk predicts zero and each block is the identity (F5-TTS's initialisation)."""
        modulations: list[Any] = [block.modulation for block in self.blocks]
        for layer in (*modulations, self.end_modulation, self.velocity):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def modulate(self, t: Float[Tensor, " k"]) -> Modulation:
        """Everything that depends on flow time alone; for many times at once, outside the solver's loop."""
        time = F.silu(self.time(t))
        modulations: list[Any] = [block.modulation for block in self.blocks]
        blocks = tuple(modulation(time).unflatten(-1, (6, -1)) for modulation in modulations)
        return Modulation(blocks, self.end_modulation(time).unflatten(-1, (2, -1)))

    def enter(self, x: Float[Tensor, "b n w"], valid: Bool[Tensor, "b n"] | None) -> Float[Tensor, "b n w"]:
        return x + self.position(x, valid)

    def leave(self, x: Float[Tensor, "b n w"], modulation: Modulation) -> Float[Tensor, "b n o"]:
        # The end's modulation comes as scale, then shift: the other way round than in the blocks.
        normed = modulated_norm(x, shift=modulation.end[:, 1], scale=modulation.end[:, 0])
        out: Tensor = self.velocity(normed)
        return out


def modulated_norm(
    x: Float[Tensor, "b n w"], shift: Float[Tensor, "k w"], scale: Float[Tensor, "k w"]
) -> Float[Tensor, "b n w"]:
    """Layer norm without weights of its own, then x (1 + scale) + shift."""
    width = x.shape[-1:]
    if len(scale) == 1:  # one time for all clips: a single fused pass
        return F.layer_norm(x, width, (1 + scale[0]).to(x.dtype), shift[0].to(x.dtype), _EPS)
    return torch.addcmul(shift[:, None], F.layer_norm(x, width, eps=_EPS), 1 + scale[:, None])


def silenced(x: Float[Tensor, "b n w"], valid: Bool[Tensor, "b n"] | None) -> Float[Tensor, "b n w"]:
    """Zero at padded frames."""
    return x if valid is None else x * valid[..., None]
