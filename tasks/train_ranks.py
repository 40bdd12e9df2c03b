"""Several processes of one training, as `torchrun` starts them: the first runs the flow, the others follow it.

What only one process can do (preparing, exporting) may take hours; the others wait in a group that is patient.
"""

import functools
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from torch import distributed

from models.training.distributed import rank, world_size

_PATIENCE = timedelta(days=30)


def meet() -> None:
    """Make the group in which orders are given; all processes do, before anything else."""
    if world_size() > 1:
        _group()


@functools.cache
def _group() -> Any:
    return distributed.new_group(backend="gloo", timeout=_PATIENCE)


def lead(stage: str, *arguments: Any) -> None:
    """Make the others begin a stage that the first process is about to begin, too."""
    if world_size() > 1 and rank() == 0:
        _shared((stage, arguments))


def dismiss() -> None:
    """Let the others go: there is no further stage."""
    if world_size() > 1 and rank() == 0:
        _shared(None)


def follow(stages: Mapping[str, Callable[..., Any]]) -> None:
    """Do what the first process leads, until it dismisses this one."""
    while (order := _shared(None)) is not None:
        name, arguments = order
        stages[name](*arguments)


def _shared(order: tuple[str, tuple[Any, ...]] | None) -> tuple[str, tuple[Any, ...]] | None:
    held: list[Any] = [order]
    distributed.broadcast_object_list(held, src=0, group=_group())
    shared: tuple[str, tuple[Any, ...]] | None = held[0]
    return shared
