"""Pictures as the networks take and give them. Letters: b pictures, h and w height and width."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


def as_input(pictures: np.ndarray) -> Float[Tensor, "b 3 h w"]:
    """Pictures [b, h, w, 3] uint8 as numbers from 0 to 1."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255


def as_pictures(made: Float[Tensor, "b 3 h w"]) -> np.ndarray:
    """Numbers from 0 to 1 as pictures [b, h, w, 3] uint8, rounded down as upstream does."""
    return np.asarray((made.float().clamp(0, 1) * 255).permute(0, 2, 3, 1).to(torch.uint8).cpu().numpy())
