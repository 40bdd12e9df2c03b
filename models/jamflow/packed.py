"""Linear layers with their weights in oneDNN's own layout, for sampling on a CPU.

`torch.nn.functional.linear` reads a weight as it lies: at float32 through MKL, whose kernels are slow on processors of
other makers, at bfloat16 by reordering it in each call. A packed weight is reordered once, and its GELU runs in the
same kernel. Measured in benchmarks/jamflow.py.
"""

import torch
from torch import Tensor, nn

from models.jamflow.joint import JamFlow
from models.jamflow.layers import GeluLinear

_ROWS = 1024
"""The number of frames that the layout is chosen for; any number can be multiplied."""


class PackedLinear(nn.Module):
    """A linear layer for inference; nothing in it can be trained or saved."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        # These two operators are what torch.compile's CPU backend calls; torch has no other name for them.
        self._packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), _ROWS)
        self._bias = linear.bias.detach()
        self._then, self._form = ("gelu", "tanh") if isinstance(linear, GeluLinear) else ("none", "")

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._packed, self._bias, self._then, [], self._form)
        return out


def pack(model: JamFlow) -> None:
    """Pack the blocks of a model that lies on the CPU, in place: it can be sampled from, and nothing else.

    Where torch was built without oneDNN, nothing changes.
    """
    if not torch.backends.mkldnn.is_available():
        return
    for branch in (model.audio, model.motion):
        for block in branch.trunk.blocks:
            for name in ("qkv", "out", "widen", "narrow"):
                setattr(block, name, PackedLinear(getattr(block, name)))
