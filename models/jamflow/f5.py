"""Read released F5-TTS weights into our Audio-DiT.

Released files hold the same network under other names, with queries, keys and values apart. Nothing in a file says
whether it is v0 or v1, so the caller names the release, and the file's hash and folder may contradict.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor

from models.jamflow.audio_dit import AudioDiT
from models.jamflow.config import RELEASES, AudioConfig, joined
from models.jamflow.joint import JamFlow
from models.weights.files import sha256_of
from models.weights.tensors import build, read_tensors
from schemas.errors import WeightsError
from schemas.motion import MotionSpace

LICENCE = "CC-BY-NC-4.0"
WEIGHTS_FILES: Mapping[str, str] = MappingProxyType(
    {"F5TTS_v1_Base": "model_1250000.safetensors", "F5TTS_Base": "model_1200000.safetensors"}
)
"""What upstream calls them, each in a folder of the release's name."""
HASHES: Mapping[str, str] = MappingProxyType(
    {
        "670900fd14e6c458b95da6e9ed317cdb20dbaf7a1c02ac06a05475a9d32b6a38": "F5TTS_v1_Base",
        "4180310f91d592cee4bc14998cd37c781f779cf105e8ca8744d9bd48ca7046ae": "F5TTS_Base",
    }
)
"""sha256 of those files."""

_PREFIX = "ema_model.transformer."
_BOOKKEEPING = re.compile(r"^(initted|step|ema_model\.mel_spec\..*|.*\.inv_freq)$")
_NAMES = (
    (r"^time_embed\.time_mlp\.0\.", "trunk.time.widen."),
    (r"^time_embed\.time_mlp\.2\.", "trunk.time.mix."),
    (r"^text_embed\.text_embed\.", "text.embedding."),
    (r"^text_embed\.text_blocks\.(\d+)\.dwconv\.", r"text.blocks.\1.depthwise."),
    (r"^text_embed\.text_blocks\.(\d+)\.norm\.", r"text.blocks.\1.norm."),
    (r"^text_embed\.text_blocks\.(\d+)\.pwconv1\.", r"text.blocks.\1.widen."),
    (r"^text_embed\.text_blocks\.(\d+)\.grn\.", r"text.blocks.\1.response."),
    (r"^text_embed\.text_blocks\.(\d+)\.pwconv2\.", r"text.blocks.\1.narrow."),
    (r"^input_embed\.proj\.", "inputs."),
    (r"^input_embed\.conv_pos_embed\.conv1d\.0\.", "trunk.position.convolutions.0."),
    (r"^input_embed\.conv_pos_embed\.conv1d\.2\.", "trunk.position.convolutions.1."),
    (r"^transformer_blocks\.(\d+)\.attn_norm\.linear\.", r"trunk.blocks.\1.modulation."),
    (r"^transformer_blocks\.(\d+)\.attn\.to_([qkv])\.", r"trunk.blocks.\1.\2."),
    (r"^transformer_blocks\.(\d+)\.attn\.to_out\.0\.", r"trunk.blocks.\1.out."),
    (r"^transformer_blocks\.(\d+)\.ff\.ff\.0\.0\.", r"trunk.blocks.\1.widen."),
    (r"^transformer_blocks\.(\d+)\.ff\.ff\.2\.", r"trunk.blocks.\1.narrow."),
    (r"^norm_out\.linear\.", "trunk.end_modulation."),
    (r"^proj_out\.", "trunk.velocity."),
)


def load_release(path: Path, release: str) -> AudioDiT:
    """Load released weights as the release that they are.

    Args:
        path: A released `.safetensors` or `.pt` file.
        release: A name of `RELEASES`.

    Raises:
        WeightsError: The file is missing, truncated, holds code, has other tensors, or shows itself to be
            another release; the release is unknown.
    """
    if release not in RELEASES:
        raise WeightsError(f"unknown F5-TTS release {release!r}: known are {', '.join(RELEASES)}")
    tensors = read_tensors(path)
    _check_release(path, release)
    return audio_dit(tensors, RELEASES[release], path)


def _check_release(path: Path, release: str) -> None:
    known = HASHES.get(sha256_of(path))
    named = next((name for name in RELEASES if name in path.absolute().parts), None)
    shown, how = (known, "its sha256") if known else (named, "its folder")
    if shown is not None and shown != release:
        raise WeightsError(
            f"{path} is {shown} by {how}, and was to be read as {release}: both load, but the other one's voice is "
            f"garbled; pass --release {shown}"
        )


def audio_dit(tensors: Mapping[str, Tensor], config: AudioConfig, path: Path) -> AudioDiT:
    """Build the network that `config` describes from tensors under their released names, `path` for messages."""
    bare = {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items() if not _BOOKKEEPING.match(name)}
    _check_rotary(tensors, config, path)
    renamed = {_renamed(name): tensor for name, tensor in bare.items()}
    return build(lambda: AudioDiT(config), _fused(renamed, config), path)


def _renamed(name: str) -> str:
    for pattern, replacement in _NAMES:
        changed, count = re.subn(pattern, replacement, name)
        if count:
            return changed
    return name  # no tensor of ours: told as unexpected


def _fused(state: dict[str, Tensor], config: AudioConfig) -> dict[str, Tensor]:
    """Put queries, keys and values into one matrix."""
    fused = {name: tensor for name, tensor in state.items() if not re.search(r"\.[qkv]\.(weight|bias)$", name)}
    for index in range(config.trunk.depth):
        for kind in ("weight", "bias"):
            names = [f"trunk.blocks.{index}.{part}.{kind}" for part in "qkv"]
            parts = [state[name] for name in names if name in state]
            if len(parts) == len(names):
                fused[f"trunk.blocks.{index}.qkv.{kind}"] = torch.cat(parts)
    return fused


def _check_rotary(tensors: Mapping[str, Tensor], config: AudioConfig, path: Path) -> None:
    width = config.trunk.head_width
    expected = 10000.0 ** -(torch.arange(0, width, 2) / width)
    for name, rates in tensors.items():
        if name.endswith("rotary_embed.inv_freq") and not (
            rates.shape == expected.shape and torch.allclose(rates.float(), expected, rtol=1e-4)
        ):
            raise WeightsError(f"{path}: {name} is not that of base 10000 over {width} numbers: another network")


def join_release(path: Path, release: str, space: MotionSpace, seed: int) -> JamFlow:
    """The joint model as stage 2 of a training begins it: a released Audio-DiT beside a new Motion-DiT.

    Until it is trained it speaks as F5-TTS does, and its mouth says nothing.

    Raises:
        WeightsError: As `load_release`.
    """
    trained = load_release(path, release)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = JamFlow(joined(RELEASES[release], space))
    model.audio.load_state_dict(trained.state_dict())
    return model.eval()
