"""What drawing costs on this CPU, found out before hours are spent."""

import time
from functools import cache

import torch
import torch.nn.functional as F

_FRAME_IN_CONVOLUTIONS = 280.0
"""A frame's time in times of one convolution (256 to 256 channels of 64 by 64, 3 by 3): both are nearly nothing but
convolutions, so the ratio holds from CPU to CPU (docs/liveportrait.md)."""
READING_SHARE = 0.014
"""Of a frame's time: its motion alone."""
_TRIES = 3


@cache
def frame_cpu_s() -> float:
    """CPU seconds that one frame takes to be drawn in float32; measured once, in less than a second."""
    picture, weights = torch.zeros(1, 256, 64, 64), torch.zeros(256, 256, 3, 3)
    return _FRAME_IN_CONVOLUTIONS * min(_convolution_s(picture, weights) for _ in range(_TRIES))


@torch.inference_mode()
def _convolution_s(picture: torch.Tensor, weights: torch.Tensor) -> float:
    began_s = time.process_time()
    F.conv2d(picture, weights, padding=1)
    return time.process_time() - began_s
