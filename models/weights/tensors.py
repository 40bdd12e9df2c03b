"""Tensors from files that may come from anywhere: safetensors, or torch files without code."""

import pickle
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from schemas.errors import WeightsError

Network = TypeVar("Network", bound=nn.Module)

_MOST_NAMES = 3
# What torch's reader is known to raise on damaged files, found by flipping bits in good ones.
_DAMAGE = (
    RuntimeError,
    EOFError,
    BadZipFile,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    struct.error,
)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read named tensors from `.safetensors`, `.pt`, `.pth`, `.bin` or `.ckpt` without running anything in them.

    Of a training checkpoint the averaged weights are taken: `ema_model_state_dict`.

    Raises:
        WeightsError: Missing, truncated, holding code, or holding no tensors.
    """
    if not path.is_file():
        raise WeightsError(f"{path} does not exist: check the path of the weights")
    held = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    tensors = {str(name): value for name, value in held.items() if isinstance(value, Tensor)}
    if not tensors:
        raise WeightsError(f"{path} holds no tensors: it is no weight file")
    return tensors


def read_nested(path: Path, wanted: Sequence[str]) -> dict[str, dict[str, Tensor]]:
    """Read a torch file that holds several networks, each under its name.

    Raises:
        WeightsError: As `read_tensors`, or one of them is not there.
    """
    if not path.is_file():
        raise WeightsError(f"{path} does not exist: check the path of the weights")
    held = _read_torch(path)
    for name in wanted:
        part = held.get(name)
        if not isinstance(part, Mapping) or not all(isinstance(value, Tensor) for value in part.values()):
            raise WeightsError(f"{path} holds no network {name!r}: it is another file, or another release")
    return {name: {str(key): value for key, value in held[name].items()} for name in wanted}


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path} is damaged or cut short ({path.stat().st_size} bytes; {error}): copy or download it again"
        ) from error


def _read_torch(path: Path) -> Mapping[str, Any]:
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path} is refused: it is damaged, or holds more than tensors, and reading that could run code; "
            f"get the .safetensors file, or copy it again"
        ) from error
    except _DAMAGE as error:
        raise WeightsError(
            f"{path} is damaged or cut short ({path.stat().st_size} bytes; {type(error).__name__}): "
            f"copy or download it again"
        ) from error
    if not isinstance(held, Mapping):
        raise WeightsError(f"{path} holds a {type(held).__name__} in place of named tensors: it is no weight file")
    return held.get("ema_model_state_dict", held)


def build(make: Callable[[], Network], state: Mapping[str, Tensor], path: Path) -> Network:
    """Make a network and fill it with a state, in eval mode; `path` is for messages.

    The numbers are copied into memory of their own: where tensors lie in a file's image, products of matrices can
    differ in their last bit, and a take would depend on how its weights were read.

    Raises:
        WeightsError: The state is not this network's.
    """
    with torch.device("meta"):
        network = make()
    network.to_empty(device="cpu")
    network.load_state_dict(fit_state(state, network, path))
    return network.eval()


def fit_state(state: Mapping[str, Tensor], network: nn.Module, path: Path) -> dict[str, Tensor]:
    """Check that a state is that of `network`, name by name and shape by shape; returns it as float32.

    Raises:
        WeightsError: Tensors are missing, unexpected, or of another shape.
    """
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    missing, unexpected = expected.keys() - state.keys(), state.keys() - expected.keys()
    if missing or unexpected:
        raise WeightsError(f"{path} is not this network: {_told('lacks', missing)}{_told('has also', unexpected)}")
    for name, shape in expected.items():
        if tuple(state[name].shape) != shape:
            raise WeightsError(
                f"{path} is not this network: {name} is {list(state[name].shape)} in place of {list(shape)}; "
                f"choose the configuration it was made with"
            )
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}


def _told(verb: str, names: set[str]) -> str:
    if not names:
        return ""
    first = ", ".join(sorted(names)[:_MOST_NAMES])
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"it {verb} {first}{more}; "
