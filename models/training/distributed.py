"""Training on several processes, as `torchrun` starts them; on one, nothing here does anything."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed, nn

from schemas.errors import RequestError

_ENVIRONMENT = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@contextmanager
def process_group() -> Iterator[torch.device]:
    """Join the processes that torchrun started, if it did; yields the device that this process is to use.

    Raises:
        RequestError: Only a part of torchrun's environment is there.
    """
    has_cuda = torch.cuda.is_available()
    if "RANK" not in os.environ:
        yield torch.device("cuda" if has_cuda else "cpu")
        return
    if lacking := [name for name in _ENVIRONMENT if name not in os.environ]:
        raise RequestError(f"RANK is set and {lacking[0]} is not: start the training with torchrun, or unset RANK")
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if has_cuda else torch.device("cpu")
    if has_cuda:
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if has_cuda else "gloo")
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def wrap(module: nn.Module, *, has_idle_parts: bool = False) -> nn.Module:
    """Make the gradients of a module, on its device already, be averaged over all processes; on one, the module itself.

    Weights and averages are still to be read from `module`, whose parameters both share.

    Args:
        has_idle_parts: Whether some steps leave parts of it unused: that costs a search of the graph, and without it
            the second such step fails.
    """
    if world_size() == 1:
        return module
    device = next(module.parameters()).device
    devices = [device] if device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(module, device_ids=devices, find_unused_parameters=has_idle_parts)


def rank() -> int:
    """The number of this process; 0 is the one that writes."""
    return distributed.get_rank() if _is_joined() else 0


def world_size() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if _is_joined() else 1


def any_rank(condition: bool, device: torch.device | None = None) -> bool:
    """Whether the condition holds on any process; all of them have to ask."""
    if not _is_joined():
        return condition
    if device is None:
        device = torch.device("cuda" if distributed.get_backend() == "nccl" else "cpu")
    held = torch.tensor(int(condition), device=device)
    distributed.all_reduce(held, distributed.ReduceOp.MAX)
    return bool(held.item())


def _is_joined() -> bool:
    return distributed.is_available() and distributed.is_initialized()
