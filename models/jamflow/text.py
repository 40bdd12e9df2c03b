"""The text encoder of the Audio-DiT (F5-TTS). Letters: b batch, n frames, c text width, e its inner width."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from models.jamflow.config import AudioConfig
from models.jamflow.layers import silenced

_POSITIONS = 8192
_POSITION_BASE = 10000.0
_EPS = 1e-6
FILLER = 0


class ResponseNorm(nn.Module):
    """Global response normalisation over time (ConvNeXt V2, arXiv:2301.00808)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, 1, width))
        self.beta = nn.Parameter(torch.zeros(1, 1, width))

    def forward(self, x: Float[Tensor, "b n e"], summed: Bool[Tensor, "b n"] | None) -> Float[Tensor, "b n e"]:
        """`summed`: the frames that count; None: all, padded ones too."""
        counted = x if summed is None else x * summed[..., None]
        energy = counted.norm(p=2, dim=1, keepdim=True)  # [b, 1, e]
        relative = energy / (energy.mean(dim=-1, keepdim=True) + _EPS)
        return self.gamma * (x * relative) + self.beta + x


class ConvBlock(nn.Module):
    """A ConvNeXt V2 block over time."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=_EPS)
        self.widen = nn.Linear(width, inner)
        self.response = ResponseNorm(inner)
        self.narrow = nn.Linear(inner, width)

    def forward(self, x: Float[Tensor, "b n c"], summed: Bool[Tensor, "b n"] | None) -> Float[Tensor, "b n c"]:
        hidden = self.norm(self.depthwise(x.transpose(1, 2)).transpose(1, 2))
        out: Tensor = x + self.narrow(self.response(F.gelu(self.widen(hidden)), summed))
        return out


class TextEncoder(nn.Module):
    """Token ids, filled up to the length of the sound, to one vector a frame."""

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        self.masks_filler, self.encodes_padding = config.masks_text_filler, config.encodes_padding
        self.embedding = nn.Embedding(config.vocabulary_size + 1, config.text_width)
        inner = config.text_width * config.text_mult
        self.blocks = nn.ModuleList(ConvBlock(config.text_width, inner) for _ in range(config.text_layers))

    def forward(
        self,
        tokens: Int[Tensor, "b nt"],
        frames: int,
        valid: Bool[Tensor, "b n"] | None,
        dropped: Bool[Tensor, " b"],
    ) -> Float[Tensor, "b n c"]:
        """Encode.

        Args:
            tokens: Ids of the vocabulary, padded with -1; those beyond a clip's frames are cut away.
            frames: n, the padded length.
            valid: Which frames belong to the clip; None: all.
            dropped: Clips whose text is withheld. Where the text lay stays known, as in the released F5-TTS.
        """
        ids = F.pad(tokens[:, :frames] + 1, (0, max(0, frames - tokens.shape[1])), value=FILLER)
        ids = ids if valid is None else ids.masked_fill(~valid, FILLER)
        shown = ids != FILLER if self.masks_filler else valid
        shown_between = shown if self.masks_filler or not self.encodes_padding else None
        hidden = self.embedding(ids.masked_fill(dropped[:, None], FILLER))
        hidden = silenced(hidden + _waves(frames, hidden.shape[-1], hidden.device).to(hidden.dtype), shown)
        for block in self.blocks:
            hidden = silenced(block(hidden, None if self.encodes_padding else valid), shown_between)
        return hidden


def _waves(frames: int, width: int, device: torch.device) -> Float[Tensor, "n c"]:
    """Absolute positions: cosines, then sines; positions beyond the table's end repeat the last."""
    rates = _POSITION_BASE ** (-torch.arange(0, width, 2, device=device)[: width // 2].float() / width)
    positions = torch.arange(frames, device=device).clamp(max=_POSITIONS - 1).float()
    angles = torch.outer(positions, rates)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)
