"""The network of the package `vocos` (MIT licence), with our mel. Source: Siuzdak 2023, arXiv:2306.00814."""

from typing import Any

from torch import nn

from models.jamflow.config import HOP_SAMPLES, MEL_BANDS, SAMPLE_RATE_HZ
from models.jamflow.mel import FFT_SAMPLES
from models.vocos.config import Sizes

_STFT = {"n_fft": FFT_SAMPLES, "hop_length": HOP_SAMPLES, "padding": "center"}


def description(sizes: Sizes) -> dict[str, dict[str, Any]]:
    """The network as `config.yaml` of a Vocos folder describes it, by part: `class_path` and `init_args`."""
    width = {"dim": sizes.width}
    blocks = {"intermediate_dim": sizes.inner_width, "num_layers": sizes.blocks}
    extractor = {"sample_rate": SAMPLE_RATE_HZ, "n_mels": MEL_BANDS, **_STFT}
    return {
        "feature_extractor": _part("vocos.feature_extractors.MelSpectrogramFeatures", extractor),
        "backbone": _part("vocos.models.VocosBackbone", {"input_channels": MEL_BANDS, **width, **blocks}),
        "head": _part("vocos.heads.ISTFTHead", {**width, **_STFT}),
    }


def _part(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"class_path": name, "init_args": arguments}


def build_vocos(sizes: Sizes) -> nn.Module:
    """Make the network, its weights random."""
    from vocos import Vocos
    from vocos.feature_extractors import MelSpectrogramFeatures
    from vocos.heads import ISTFTHead
    from vocos.models import VocosBackbone

    arguments = {part: described["init_args"] for part, described in description(sizes).items()}
    network: nn.Module = Vocos(
        MelSpectrogramFeatures(**arguments["feature_extractor"]),
        VocosBackbone(**arguments["backbone"]),
        ISTFTHead(**arguments["head"]),
    )
    return network
