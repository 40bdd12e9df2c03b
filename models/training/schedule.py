"""Factors of the learning rate, as pure functions of the step's index."""

import math


def warm_cosine(index: int, *, steps: int, warmup: int = 0, floor: float = 0.0) -> float:
    """Rise linearly to 1 over `warmup` steps, then fall along half a cosine to `floor` at the last step.

    Args:
        index: Of the step, from 0; beyond `steps` the factor stays at `floor`.
        steps: Of the whole training, the warm-up's included.
        warmup: Steps until the factor is 1.
        floor: The last factor, from 0 to 1.

    Source: Loshchilov and Hutter 2017, arXiv:1608.03983.
    """
    return _warmed(index, warmup) * (floor + (1 - floor) * (1 + math.cos(math.pi * _passed(index, steps, warmup))) / 2)


def warm_linear(index: int, *, steps: int, warmup: int = 0, floor: float = 0.0) -> float:
    """As `warm_cosine`, falling along a line (F5-TTS's schedule)."""
    return _warmed(index, warmup) * (1 - (1 - floor) * _passed(index, steps, warmup))


def _warmed(index: int, warmup: int) -> float:
    """Never 0: a first step that changes nothing would be wasted."""
    return min(1.0, (index + 1) / (warmup + 1))


def _passed(index: int, steps: int, warmup: int) -> float:
    """The share of the decay that lies behind, from 0 to 1."""
    return min(1.0, max(0.0, (index - warmup) / max(1, steps - 1 - warmup)))
