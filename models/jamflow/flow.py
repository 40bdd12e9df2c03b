"""The probability path. Flow time t runs from 0 (noise) to 1 (data). Letters: b clips, n frames, c numbers a frame."""

from jaxtyping import Bool, Float
from torch import Tensor


def interpolate(
    x_0: Float[Tensor, "b n c"], x_1: Float[Tensor, "b n c"], t: Float[Tensor, " b"]
) -> Float[Tensor, "b n c"]:
    """The linear path x_t = (1 - t) x_0 + t x_1 (Lipman et al. 2023, arXiv:2210.02747)."""
    t = t[:, None, None]
    return (1 - t) * x_0 + t * x_1


def velocity_target(x_0: Float[Tensor, "b n c"], x_1: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
    """dx_t/dt of the linear path, the same at all times."""
    return x_1 - x_0


def mean_square(
    predicted: Float[Tensor, "b n c"], target: Float[Tensor, "b n c"], counted: Bool[Tensor, "b n"]
) -> Float[Tensor, ""]:
    """Mean over the numbers of the counted frames; zero, with zero gradient, where none is."""
    squared = (predicted.float() - target.float()).square().mean(dim=-1)
    return (squared * counted).sum() / counted.sum().clamp(min=1)
