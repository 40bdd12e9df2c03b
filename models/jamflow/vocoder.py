"""Mel frames to sound by Vocos, from a folder in its published layout. Letters: b sounds, frames, samples at 24 kHz.

The published model is charactr/vocos-mel-24khz (MIT licence): config.yaml and pytorch_model.bin. Both are read as
data: no code in them can run, and a size that config.yaml claims costs no memory before the weights prove to have it.
Source: Siuzdak 2023, arXiv:2306.00814; the network is that of the package `vocos` (MIT licence).
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
import yaml
from jaxtyping import Float
from torch import Tensor, nn

from models.jamflow.config import HOP_SAMPLES, MEL_BANDS, SAMPLE_RATE_HZ
from models.jamflow.mel import FFT_SAMPLES
from models.weights.tensors import fit_state, read_tensors
from schemas.errors import RequestError, WeightsError

CONFIG_FILE = "config.yaml"
WEIGHTS_FILES = ("model.safetensors", "pytorch_model.bin")  # the first that is there
PUBLISHED_SHA256 = "97ec976ad1fd67a33ab2682d29c0ac7df85234fae875aefcc5fb215681a91b2a"  # of the pytorch_model.bin
SHORTEST_FRAMES = 2

_GET = "get config.yaml and pytorch_model.bin of charactr/vocos-mel-24khz"
_CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "feature_extractor": "vocos.feature_extractors.MelSpectrogramFeatures",
        "backbone": "vocos.models.VocosBackbone",
        "head": "vocos.heads.ISTFTHead",
    }
)
_STFT = {"n_fft": FFT_SAMPLES, "hop_length": HOP_SAMPLES, "padding": "center"}
_OUR_MEL: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "feature_extractor": {"sample_rate": SAMPLE_RATE_HZ, "n_mels": MEL_BANDS, **_STFT},
        "backbone": {"input_channels": MEL_BANDS},
        "head": _STFT,
    }
)
_SIZES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"feature_extractor": (), "backbone": ("dim", "intermediate_dim", "num_layers"), "head": ("dim",)}
)
_LARGEST_SIZE = 8192  # published: 512, 1536, 8
_START_VALUES = {"layer_scale_init_value"}  # of training: the weights have replaced it


class Vocoder:
    """A loaded vocoder; make it with `load_vocoder`."""

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self._network: Any = network.eval().requires_grad_(False).to(device)
        self._device = device

    @torch.inference_mode()
    def decode(self, mel: Float[Tensor, "b frames 100"]) -> Float[Tensor, "b samples"]:
        """Speak the frames of `mel_spectrogram`: 256 · (frames - 1) samples, sample 256 i at the centre of frame i.

        Raises:
            RequestError: there are fewer than `SHORTEST_FRAMES`.
        """
        if mel.shape[1] < SHORTEST_FRAMES:
            raise RequestError(f"a mel of {mel.shape[1]} frames makes no sound: give at least {SHORTEST_FRAMES}")
        wave: Tensor = self._network.decode(mel.to(self._device, torch.float32).transpose(1, 2))
        return wave


def load_vocoder(folder: Path, device: torch.device | str = "cpu") -> Vocoder:
    """Load the model in `folder`: config.yaml beside model.safetensors or pytorch_model.bin.

    Raises:
        WeightsError: a file is missing, damaged, holds code, or is not of a Vocos for `mel_spectrogram`'s frames.
    """
    if not folder.is_dir():
        raise WeightsError(f"there is no folder {folder} with a vocoder: {_GET}")
    network = _network(_read_sizes(folder / CONFIG_FILE))
    weights = _weights_file(folder)
    network.load_state_dict(fit_state(read_tensors(weights), network, weights), strict=True, assign=True)
    return Vocoder(network, torch.device(device))


def _weights_file(folder: Path) -> Path:
    for name in WEIGHTS_FILES:
        if (folder / name).is_file():
            return folder / name
    raise WeightsError(f"the vocoder's folder {folder} has neither {' nor '.join(WEIGHTS_FILES)}: {_GET}")


def _network(sizes: Mapping[str, Mapping[str, int]]) -> nn.Module:
    """Build the package's network; what the weights are to fill takes no memory yet."""
    from vocos import Vocos
    from vocos.feature_extractors import MelSpectrogramFeatures
    from vocos.heads import ISTFTHead
    from vocos.models import VocosBackbone

    extractor = MelSpectrogramFeatures(**_OUR_MEL["feature_extractor"])  # cannot be built without memory; it is small
    with torch.device("meta"):
        backbone = VocosBackbone(**_OUR_MEL["backbone"], **sizes["backbone"])
        head = ISTFTHead(**_OUR_MEL["head"], **sizes["head"])
    network: nn.Module = Vocos(extractor, backbone, head)
    return network


def _read_sizes(file: Path) -> dict[str, dict[str, int]]:
    """Read the sizes that may differ between models, by part; all else must be as our mel needs it."""
    try:
        config = yaml.safe_load(file.read_bytes())
    except OSError as error:
        raise WeightsError(f"the vocoder's {file} cannot be read ({error.strerror}): {_GET}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: of a date such as 2024-99-99
        raise WeightsError(f"the vocoder's {file} is not YAML: {_GET}") from error
    return {part: _part_sizes(file, part, config) for part in _CLASSES}


def _part_sizes(file: Path, part: str, config: object) -> dict[str, int]:
    described = config.get(part) if isinstance(config, dict) else None
    arguments = described.get("init_args") if isinstance(described, dict) else None
    if not isinstance(described, dict) or not isinstance(arguments, dict):
        raise WeightsError(f"the vocoder's {file} has no {part} with init_args: {_GET}")
    _expect(file, f"{part}.class_path", described.get("class_path"), _CLASSES[part])
    for name, value in _OUR_MEL[part].items():
        _expect(file, f"{part}.{name}", arguments.get(name), value)
    sizes = {name: _size(file, f"{part}.{name}", arguments.get(name)) for name in _SIZES[part]}
    known = {*_OUR_MEL[part], *sizes, *_START_VALUES}
    if unknown := [name for name, value in arguments.items() if name not in known and value is not None]:
        raise WeightsError(f"the vocoder's {file} has {_shown(unknown[0])} in {part}, which we do not know: {_GET}")
    return sizes


def _expect(file: Path, name: str, found: object, expected: object) -> None:
    if found != expected:
        raise WeightsError(f"the vocoder's {file} has {name} {_shown(found)} where we need {expected}: {_GET}")


def _size(file: Path, name: str, found: object) -> int:
    if type(found) is int and 1 <= found <= _LARGEST_SIZE:  # not isinstance: YAML's yes is True, and that an int
        return found
    raise WeightsError(f"the vocoder's {file} has {name} {_shown(found)}, no size of 1 to {_LARGEST_SIZE}: {_GET}")


def _shown(value: object) -> str:
    """The first letters of a value, or its type: nested aliases of YAML can write out to gigabytes."""
    is_short = isinstance(value, str | float | None) or (isinstance(value, int) and value.bit_length() <= 64)
    return f"{value!r:.60}" if is_short else f"a {type(value).__name__}"
