"""Attention, alone and joint, and rotary positions.

Letters: b batch, h heads, n own and m other frames, d head width, d2 = d / 2, b1 is b or 1.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Complex, Float, Int
from torch import Tensor

_ROTARY_BASE = 10000.0


class QKV(NamedTuple):
    """Queries, keys and values of one stream, [b, h, n, d] each."""

    q: Tensor
    k: Tensor
    v: Tensor

    def of(self, clips: Int[Tensor, " c"]) -> "QKV":
        """Those of some of the clips."""
        return QKV(self.q[clips], self.k[clips], self.v[clips])


def rotary(positions: Float[Tensor, "b n"], head_width: int) -> Complex[Tensor, "b n 1 1 d2"]:
    """Turns exp(i position 10000^(-2j/d)) for each of the d / 2 pairs; positions need not be whole numbers."""
    exponents = torch.arange(0, head_width, 2, device=positions.device) / head_width
    angles = (positions[..., None].float() * _ROTARY_BASE**-exponents)[:, :, None, None]
    return torch.polar(torch.ones_like(angles), angles)


def rotate(
    x: Float[Tensor, "b n parts h d"], turns: Complex[Tensor, "b1 n 1 1 d2"], heads: int
) -> Float[Tensor, "b n parts h d"]:
    """Turn neighbouring numbers (2j, 2j + 1) of the first `heads` heads (as F5-TTS; RoFormer, arXiv:2104.09864).

    As one complex product: several times faster than sums of products of real numbers.
    """
    if heads < x.shape[3]:
        return torch.cat([rotate(x[:, :, :, :heads], turns, heads), x[:, :, :, heads:]], dim=3)
    turned = torch.view_as_complex(x.float().unflatten(-1, (-1, 2))) * turns
    return torch.view_as_real(turned).flatten(-2).to(x.dtype)


def attend(own: QKV, mask: Tensor | None = None) -> Float[Tensor, "b h n d"]:
    """Plain self-attention; `mask` is added to the logits."""
    return F.scaled_dot_product_attention(own.q, own.k, own.v, attn_mask=mask)


def attend_jointly(own: QKV, other: QKV, mask: Tensor | None) -> Float[Tensor, "b h n d"]:
    """A stream's own queries over the keys of [own; other].

    Algorithm 2 of the paper pools the queries too and throws the other stream's rows away; rows of attention do not
    depend on each other, so leaving them out gives the same numbers at half the cost (a test holds this).
    """
    k, v = torch.cat([own.k, other.k], dim=2), torch.cat([own.v, other.v], dim=2)
    return F.scaled_dot_product_attention(own.q, k, v, attn_mask=mask)
