"""The vocoder's loader, on real Vocos models with random weights in the published layout."""

import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from vocos import Vocos

from models.jamflow.vocoder import Vocoder, load_vocoder
from schemas.errors import RequestError, WeightsError

PUBLISHED_CONFIG = """feature_extractor:
  class_path: vocos.feature_extractors.MelSpectrogramFeatures
  init_args:
    sample_rate: 24000
    n_fft: 1024
    hop_length: 256
    n_mels: 100
    padding: center

backbone:
  class_path: vocos.models.VocosBackbone
  init_args:
    input_channels: 100
    dim: 512
    intermediate_dim: 1536
    num_layers: 8

head:
  class_path: vocos.heads.ISTFTHead
  init_args:
    dim: 512
    n_fft: 1024
    hop_length: 256
    padding: center
"""
PUBLISHED_CONFIG_SHA256 = "da9033922f969a47f0c160010226919e59f27761fd5066f3828d46de6650b0fc"
CONFIG = PUBLISHED_CONFIG.replace("dim: 512", "dim: 32").replace("1536", "48").replace("num_layers: 8", "num_layers: 2")


def package_model(config: str, folder: Path) -> Vocos:
    """Write config.yaml and build the package's own model from it."""
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Vocos.from_hparams(str(folder / "config.yaml")).eval()


def random_mel(frames: int, sounds: int = 2) -> torch.Tensor:
    return torch.randn(sounds, frames, 100, generator=torch.Generator().manual_seed(frames))


@pytest.fixture
def state(tmp_path: Path) -> dict[str, torch.Tensor]:
    """A folder with a small model in the published layout; returns the weights."""
    state: dict[str, torch.Tensor] = package_model(CONFIG, tmp_path).state_dict()
    torch.save(state, tmp_path / "pytorch_model.bin")
    return state


def test_the_config_here_is_the_published_one() -> None:
    assert hashlib.sha256(PUBLISHED_CONFIG.encode()).hexdigest() == PUBLISHED_CONFIG_SHA256


@pytest.mark.parametrize(
    ("config", "name", "save"),
    [
        (PUBLISHED_CONFIG, "pytorch_model.bin", torch.save),
        (CONFIG, "pytorch_model.bin", torch.save),
        (CONFIG, "model.safetensors", save_file),
    ],
    ids=["published-size", "small", "safetensors"],
)
def test_it_decodes_as_the_package_does(tmp_path: Path, config: str, name: str, save: Callable[..., None]) -> None:
    package = package_model(config, tmp_path)
    save(package.state_dict(), tmp_path / name)
    mel = random_mel(20)
    wave = load_vocoder(tmp_path).decode(mel)
    assert wave.shape == (2, 19 * 256)
    assert torch.equal(wave, package.decode(mel.transpose(1, 2)))


@pytest.mark.usefixtures("state")
def test_decoding_learns_nothing_and_repeats(tmp_path: Path) -> None:
    vocoder = load_vocoder(tmp_path)
    first = vocoder.decode(random_mel(5).requires_grad_())
    assert first.is_inference() and torch.isfinite(first).all()
    assert torch.equal(first, vocoder.decode(random_mel(5).double()))


@pytest.mark.usefixtures("state")
def test_safetensors_go_before_a_pickle(tmp_path: Path) -> None:
    other = {name: tensor + 1 for name, tensor in package_model(CONFIG, tmp_path).state_dict().items()}
    before = load_vocoder(tmp_path).decode(random_mel(4))
    save_file(other, tmp_path / "model.safetensors")
    assert not torch.equal(before, load_vocoder(tmp_path).decode(random_mel(4)))


@pytest.mark.usefixtures("state")
def test_one_frame_makes_no_sound(tmp_path: Path) -> None:
    vocoder: Vocoder = load_vocoder(tmp_path)
    assert vocoder.decode(random_mel(2)).shape == (2, 256)
    with pytest.raises(RequestError, match="a mel of 1 frames makes no sound: give at least 2"):
        vocoder.decode(random_mel(1))


def told(folder: Path) -> str:
    """The message of the refusal: one line that names the folder."""
    with pytest.raises(WeightsError) as error:
        load_vocoder(folder)
    message = str(error.value)
    assert str(folder) in message and "\n" not in message
    return message


@pytest.mark.usefixtures("state")
def test_a_missing_folder_or_file_is_told(tmp_path: Path) -> None:
    get = "get config.yaml and pytorch_model.bin of charactr/vocos-mel-24khz"
    assert told(tmp_path / "nowhere").endswith(f"nowhere with a vocoder: {get}")
    (tmp_path / "pytorch_model.bin").unlink()
    assert told(tmp_path).endswith(f"has neither model.safetensors nor pytorch_model.bin: {get}")
    (tmp_path / "config.yaml").unlink()
    assert told(tmp_path).endswith(f"config.yaml cannot be read (No such file or directory): {get}")


class Code:
    """A pickle that makes a folder when it is loaded carelessly."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def test_code_in_the_weights_does_not_run(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    torch.save({**state, "extra": Code(tmp_path / "ran")}, tmp_path / "pytorch_model.bin")
    assert "pytorch_model.bin is refused" in told(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Code(tmp_path / "ran"), protocol=2))
    told(tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_truncated_file_is_told(tmp_path: Path, state: dict[str, torch.Tensor], name: str, share: float) -> None:
    file = tmp_path / name
    (save_file if name.endswith("safetensors") else torch.save)(state, file)
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    assert f"{file} is damaged or cut short" in told(tmp_path)


def test_other_weights_are_told(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    def saved(weights: dict[str, torch.Tensor]) -> str:
        torch.save(weights, tmp_path / "pytorch_model.bin")
        return told(tmp_path)

    rest = {name: tensor for name, tensor in state.items() if name != "head.out.bias"}
    assert "lacks head.out.bias" in saved(rest)
    assert "has also head.twin" in saved({**state, "head.twin": torch.zeros(1)})
    assert "head.out.bias is [3] in place of [1026]" in saved({**rest, "head.out.bias": torch.zeros(3)})


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("vocos.models.VocosBackbone", "os.system", "backbone.class_path 'os.system' where we need vocos.models"),
        ("vocos.heads.ISTFTHead", "vocos.heads.IMDCTSymExpHead", "head.class_path 'vocos.heads.IMDCTSymExpHead'"),
        ("MelSpectrogramFeatures", "EncodecFeatures", "feature_extractor.class_path 'vocos.feature_extractors.Enc"),
        ("24000", "44100", "feature_extractor.sample_rate 44100 where we need 24000"),
        ("n_mels: 100", "n_mels: 80", "feature_extractor.n_mels 80 where we need 100"),
        ("input_channels: 100", "input_channels: [100]", "backbone.input_channels a list where we need 100"),
        ("hop_length: 256\n    padding", "hop_length: 300\n    padding", "head.hop_length 300 where we need 256"),
        ("256\n    padding: center", "256", "head.padding None where we need center"),
        ("    dim: 32\n    n_fft: 1024", "    dim: 32\n    n_fft: 2048", "head.n_fft 2048 where we need 1024"),
        ("num_layers: 2", "num_layers: 1000000000", "backbone.num_layers 1000000000, no size of 1 to 8192"),
        ("num_layers: 2", "num_layers: yes", "backbone.num_layers True, no size"),
        (
            "num_layers: 2",
            "num_layers: 2\n    adanorm_num_embeddings: 4",
            "has 'adanorm_num_embeddings' in backbone, which",
        ),
        ("num_layers: 2", "num_layers: 3", "is not this network: it lacks backbone.convnext.2.dwconv.bias"),
        ("intermediate_dim: 48", "intermediate_dim: 8192", "pwconv1.weight is [48, 32] in place of [8192, 32]"),
        ("backbone:", "spine:", "has no backbone with init_args"),
        ("head:\n", "head: 3\nunused:\n", "has no head with init_args"),
        (CONFIG, "just a text", "has no feature_extractor with init_args"),
        (CONFIG, "[" * 5_000, "is not YAML"),
        (CONFIG, "a: !!python/object/apply:os.system [true]", "is not YAML"),
        (CONFIG, "a: 2024-99-99", "is not YAML"),
        (CONFIG, "a: {", "is not YAML"),
    ],
)
def test_a_config_that_does_not_fit_is_told(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in CONFIG
    (tmp_path / "config.yaml").write_text(CONFIG.replace(old, new), encoding="utf-8")
    assert message in told(tmp_path)


def test_start_values_of_training_may_stand_in_the_config(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    extra = "num_layers: 2\n    layer_scale_init_value: 0.125\n    adanorm_num_embeddings: null"
    (tmp_path / "config.yaml").write_text(CONFIG.replace("num_layers: 2", extra), encoding="utf-8")
    loaded = load_vocoder(tmp_path)._network.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())
