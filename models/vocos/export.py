"""The trained vocoder as a folder that `models.jamflow.vocoder.load_vocoder` reads.

config.yaml        sizes, in Vocos's published layout
model.safetensors  the weights
training.json      what they were trained on, and how well they do
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn

from models.jamflow.vocoder import CONFIG_FILE, WEIGHTS_FILES
from models.vocos.config import Sizes
from models.vocos.network import description
from schemas.errors import WeightsError

RECORD_FILE = "training.json"
_WINDOW = "head.istft.window"  # the inverse transform divides by its square, where rounding would be heard


def export_vocoder(
    network: nn.Module, sizes: Sizes, folder: Path, record: Mapping[str, Any], dtype: torch.dtype = torch.float16
) -> None:
    """Write the folder, whole or not at all.

    Args:
        network: Of `build_vocos(sizes)`.
        sizes: Its.
        folder: Replaced where it is a vocoder's already.
        record: For people, and for the next export.
        dtype: Precision in which weights are stored; the window stays in float32.

    Raises:
        WeightsError: The folder holds something else, or the disk cannot be written.
    """
    if folder.exists() and not (folder / CONFIG_FILE).is_file():
        raise WeightsError(f"{folder} is there and holds no vocoder: choose another folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            _write(building, network, sizes, record, dtype)
            _replace(building, folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{folder} cannot be written: {error}; free some space or choose another folder") from error


def read_record(folder: Path) -> dict[str, Any]:
    """What was recorded of an exported vocoder; nothing where there is none."""
    path = folder / RECORD_FILE
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return record


def _write(folder: Path, network: nn.Module, sizes: Sizes, record: Mapping[str, Any], dtype: torch.dtype) -> None:
    state = {
        name: tensor.detach().to("cpu", torch.float32 if name == _WINDOW else dtype).contiguous()
        for name, tensor in network.state_dict().items()
    }
    save_file(state, folder / WEIGHTS_FILES[0])
    (folder / CONFIG_FILE).write_text(yaml.safe_dump(description(sizes), sort_keys=False), encoding="utf-8")
    (folder / RECORD_FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    for path in folder.iterdir():
        path.chmod(0o644)
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _replace(building: Path, folder: Path) -> None:
    """Put a finished folder in place of an old one."""
    building.chmod(0o755)  # mkdtemp's folders are the owner's alone
    if not folder.exists():
        building.rename(folder)
        return
    old = building.with_name(building.name + "-old")
    folder.rename(old)
    building.rename(folder)
    shutil.rmtree(old)
