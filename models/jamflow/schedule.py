"""At which flow times a solver evaluates, and the solvers. Letters: s steps.

A grid is s + 1 increasing times from 0 (noise) to 1 (data).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor

from models.jamflow.conditions import Pair, each
from schemas.errors import RequestError

_EPSS_UNIT = 32
_EPSS: Mapping[int, tuple[int, ...]] = MappingProxyType(
    {
        5: (0, 2, 4, 8, 16, 32),
        6: (0, 2, 4, 6, 8, 16, 32),
        7: (0, 2, 4, 6, 8, 16, 24, 32),
        10: (0, 2, 4, 6, 8, 12, 16, 20, 24, 28, 32),
        12: (0, 2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32),
        16: (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32),
    }
)

Velocity = Callable[[Pair[Tensor], int], Pair[Tensor]]
"""dx/dt at a state and at the solver's evaluation of that number."""


def uniform_grid(steps: int) -> Float[Tensor, " s1"]:
    """Equal steps. Raises: RequestError, where `steps` is below 1."""
    if steps < 1:
        raise RequestError(f"{steps} sampling steps: give at least 1 (32 is usual, 7 is fast)")
    return torch.linspace(0, 1, steps + 1)


def epss_grid(steps: int) -> Float[Tensor, " s1"]:
    """Empirically pruned steps, small ones first (Fast-F5, arXiv:2505.19931); equal where no table has `steps`."""
    if steps not in _EPSS:
        return uniform_grid(steps)
    return torch.tensor(_EPSS[steps], dtype=torch.float32) / _EPSS_UNIT


def swayed(grid: Float[Tensor, " s1"], coefficient: float) -> Float[Tensor, " s1"]:
    """Sway sampling, t + c (cos(pi t / 2) - 1 + t): c < 0 spends more steps near the noise (F5-TTS).

    Raises:
        RequestError: `coefficient` leaves -1 to 2 / (pi - 2), where times would not increase.
    """
    most = 2 / (math.pi - 2)
    if not -1 <= coefficient <= most:
        raise RequestError(f"sway coefficient {coefficient}: choose one from -1 to {most:.2f}")
    return grid + coefficient * (torch.cos(torch.pi / 2 * grid) - 1 + grid)


@dataclass(frozen=True)
class Solver:
    """An explicit method: `times` of its evaluations on a grid, and `integrate` along it."""

    times: Callable[[Tensor], Tensor]
    integrate: Callable[[Velocity, Pair[Tensor], Tensor], Pair[Tensor]]


def _euler_times(grid: Float[Tensor, " s1"]) -> Float[Tensor, " s"]:
    return grid[:-1]


def _euler(velocity: Velocity, x: Pair[Tensor], grid: Float[Tensor, " s1"]) -> Pair[Tensor]:
    for step, dt in enumerate(grid.diff()):
        x = _moved(x, velocity(x, step), dt)
    return x


def _midpoint_times(grid: Float[Tensor, " s1"]) -> Float[Tensor, " s2"]:
    return torch.stack([grid[:-1], grid[:-1] + grid.diff() / 2], dim=1).flatten()


def _midpoint(velocity: Velocity, x: Pair[Tensor], grid: Float[Tensor, " s1"]) -> Pair[Tensor]:
    for step, dt in enumerate(grid.diff()):
        halfway = _moved(x, velocity(x, 2 * step), dt / 2)
        x = _moved(x, velocity(halfway, 2 * step + 1), dt)
    return x


def _moved(x: Pair[Tensor], velocity: Pair[Tensor], dt: Tensor) -> Pair[Tensor]:
    return each(lambda state, slope: state + dt.to(state.device) * slope, x, velocity)


EULER = Solver(_euler_times, _euler)
MIDPOINT = Solver(_midpoint_times, _midpoint)
