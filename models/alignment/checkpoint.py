"""A frame classifier in a folder: weights.safetensors in float16, and config.json that says what they are."""

import json
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import WeightsError

if TYPE_CHECKING:
    from models.alignment.network import FrameClassifier

_WEIGHTS, _RECORD = "weights.safetensors", "config.json"


def save_classifier(network: "FrameClassifier", record: Mapping[str, Any], folder: Path) -> None:
    """Write both files into a folder that exists; the sizes go beside `record` under the name "network".

    Raises:
        ValueError: the record has an entry of that name itself.
    """
    from safetensors.torch import save_file

    if "network" in record:
        raise ValueError(f'the record for {folder} has its own entry "network": that name is for the sizes')
    weights = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, folder / _WEIGHTS)
    kept = {"network": network.config.as_json(), **record}
    (folder / _RECORD).write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def load_classifier(folder: Traversable) -> tuple["FrameClassifier", dict[str, Any]]:
    """Read a network, ready to be used in float32, and its whole record.

    Raises:
        WeightsError: a file is missing, damaged, or of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    from models.alignment.network import FrameClassifier, FrameClassifierConfig

    try:
        record: dict[str, Any] = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        network = FrameClassifier(FrameClassifierConfig.from_json(record["network"]))
        weights = load((folder / _WEIGHTS).read_bytes())
        network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{folder} does not hold a frame classifier ({reason}): restore or train it") from error
    return network.eval(), record
