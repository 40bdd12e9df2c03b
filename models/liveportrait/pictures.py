"""Pictures as the networks take and give them. Letters: b pictures, h and w height and width."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


def as_input(pictures: np.ndarray, device: torch.device) -> Float[Tensor, "b 3 h w"]:
    """Pictures [b, h, w, 3] uint8 as numbers from 0 to 1.

    They go to a GPU as bytes, from pinned memory, and nobody waits until they are there.
    """
    there = torch.from_numpy(np.ascontiguousarray(pictures))
    if device.type == "cuda":
        there = there.pin_memory().to(device, non_blocking=True)
    return there.permute(0, 3, 1, 2).float() / 255


def as_pictures(made: Float[Tensor, "b 3 h w"]) -> np.ndarray:
    """Numbers from 0 to 1 as pictures [b, h, w, 3] uint8, rounded down as upstream does."""
    return np.asarray((made.float().clamp(0, 1) * 255).permute(0, 2, 3, 1).to(torch.uint8).cpu().numpy())
