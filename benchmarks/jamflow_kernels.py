"""How fast the kernels of a guided evaluation of 10 s are: what explains the ratios of benchmarks/jamflow.py."""

import time
from collections.abc import Callable
from copy import deepcopy
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.jamflow.config import FRAME_RATE_HZ, V1_BASE
from models.jamflow.packed import PackedLinear

_CLIPS = 2  # conditioned and null
_FRAMES = int(10 * FRAME_RATE_HZ)
_REPEATS = 20


@torch.inference_mode()
def kernel_rates() -> list[dict]:
    """Rates in GFLOP/s, and the seconds that all work of this kind takes in one evaluation at that rate."""
    trunk = V1_BASE.trunk
    width, inner = trunk.width, trunk.ff_mult * trunk.width
    rows = _CLIPS * _FRAMES
    # A block's matrices, in units of the one that is timed: queries, keys, values, out; then two of its size.
    matrices = trunk.depth * (4 * width * trunk.attention_width / (width * inner) + 2)
    linear_work = (2 * rows * width * inner, matrices)
    attention_work = (4 * _CLIPS * trunk.heads * _FRAMES**2 * trunk.head_width, trunk.depth)
    linear, x = nn.Linear(width, inner), torch.randn(rows, width)
    qkv = torch.randn(3, _CLIPS, trunk.heads, _FRAMES, trunk.head_width)
    packed, x_bf16, qkv_bf16 = PackedLinear(linear), x.bfloat16(), qkv.bfloat16()
    packed_bf16 = PackedLinear(deepcopy(linear).bfloat16())
    return [
        _rated("linear fp32, as upstream has it", partial(linear, x), *linear_work),
        _rated("linear fp32, packed", partial(packed, x), *linear_work),
        _rated("linear bf16, packed", partial(packed_bf16, x_bf16), *linear_work),
        _rated("attention fp32", partial(F.scaled_dot_product_attention, *qkv), *attention_work),
        _rated("attention bf16", partial(F.scaled_dot_product_attention, *qkv_bf16), *attention_work),
    ]


def _rated(name: str, call: Callable[[], Tensor], flop: float, calls: float) -> dict:
    call()
    best = min(_seconds(call) for _ in range(_REPEATS))
    return {"kernel": name, "gflop_s": flop / best / 1e9, "evaluation_s": best * calls}


def _seconds(call: Callable[[], Tensor]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
