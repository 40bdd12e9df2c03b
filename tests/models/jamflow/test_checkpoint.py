"""Checkpoints: what is saved comes back, and what is wrong is told."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import models.jamflow.f5 as f5
from models.facemesh.space import space as facemesh_space
from models.jamflow.audio_dit import AudioDiT
from models.jamflow.checkpoint import CONFIG, VOCABULARY, WEIGHTS, Description, load_checkpoint, save_checkpoint
from models.jamflow.conditions import Pair
from models.jamflow.config import AUDIO, COUPLING, RELEASES, V1_BASE, JamFlowConfig, joined, trunk
from models.jamflow.joint import JamFlow
from models.jamflow.tokens import Vocabulary
from models.weights.tensors import read_tensors
from schemas.errors import WeightsError
from schemas.motion import MotionSpace

SPACE = MotionSpace(
    name="s", fps=25, mouth_dims=tuple("abcde"), rest_dims=tuple("xyz"), mean=(0.0,) * 8, std=(1.0,) * 8
)
VOCABULARY_OF_50 = Vocabulary((" ", *(f"t{i}" for i in range(49))))
DESCRIBED = Description(
    name="small", origin="random numbers", licence="CC0-1.0", commercial_use=True, config={}, motion_space=SPACE,
    vocabulary_sha256="0" * 64,
)  # fmt: skip


@pytest.fixture
def saved(tmp_path: Path, small_model: Any) -> Path:
    save_checkpoint(tmp_path / "small", small_model(COUPLING), VOCABULARY_OF_50, DESCRIBED)
    return tmp_path / "small"


def told(load: Callable[[], Any]) -> str:
    with pytest.raises(WeightsError) as caught:
        load()
    message = str(caught.value)
    assert "\n" not in message
    return message


# Round trip


def test_what_is_saved_comes_back(saved: Path, small_model: Any, clip: Any) -> None:
    loaded = load_checkpoint(saved, SPACE)
    given, x = clip(20, 5)
    t = Pair(torch.tensor([0.2]), torch.tensor([0.7]))
    for ours, theirs in zip(loaded.model(x, t, given), small_model(COUPLING)(x, t, given), strict=True):
        assert torch.equal(ours, theirs)
    assert loaded.vocabulary == VOCABULARY_OF_50 and not loaded.model.training
    assert loaded.description.ref.licence == "CC0-1.0" and loaded.description.motion_space == SPACE
    assert {path.name for path in saved.iterdir()} == {CONFIG, WEIGHTS, VOCABULARY}


def test_a_training_goes_on_from_loaded_weights(saved: Path) -> None:
    assert all(p.requires_grad and p.is_leaf for p in load_checkpoint(saved).model.parameters())


def test_half_precision_is_half_the_size(tmp_path: Path, small_model: Any) -> None:
    sizes = {}
    for dtype in (torch.float32, torch.bfloat16):
        sizes[dtype] = save_checkpoint(tmp_path / "c", small_model(), VOCABULARY_OF_50, DESCRIBED, dtype).weights_bytes
    assert sizes[torch.bfloat16] < 0.55 * sizes[torch.float32]
    assert all(p.dtype == torch.float32 for p in load_checkpoint(tmp_path / "c").model.parameters())
    assert [path.name for path in tmp_path.iterdir()] == ["c"]  # the old one is replaced, nothing is left behind


@pytest.mark.parametrize("name", AUDIO)
def test_configurations_are_kept_in_json(name: str) -> None:
    config = joined(AUDIO[name], facemesh_space())
    assert JamFlowConfig.from_json(json.loads(json.dumps(config.as_json()))) == config
    with pytest.raises(TypeError):
        JamFlowConfig.from_json({**config.as_json(), "experts": 8})


def test_branches_that_cannot_be_paired_are_refused() -> None:
    config = joined(AUDIO["tiny"], SPACE)
    with pytest.raises(ValueError, match="the branches differ in depth: audio 8, motion 6"):
        replace(config, motion=replace(config.motion, trunk=trunk(256, 6, 4)))


# What is wrong is told


def edited(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    values = json.loads((folder / CONFIG).read_text())
    change(values)
    (folder / CONFIG).write_text(json.dumps(values))


def test_an_edited_text_rule_is_told(saved: Path) -> None:
    """v1 weights told to be v0: the pairing that upstream loads without a word."""
    edited(saved, lambda v: v["config"]["audio"].update(masks_text_filler=False))
    message = told(lambda: load_checkpoint(saved))
    assert "config.json was changed after the weights were saved" in message and "v0 or v1" in message


def test_an_edited_licence_is_told(saved: Path) -> None:
    edited(saved, lambda v: v.update(licence="MIT"))
    assert "was changed after the weights were saved" in told(lambda: load_checkpoint(saved))


def test_truncated_weights_are_told(saved: Path) -> None:
    size = (saved / WEIGHTS).stat().st_size
    os.truncate(saved / WEIGHTS, 1000)
    assert f"has 1000 bytes instead of {size}: it was cut short" in told(lambda: load_checkpoint(saved))


def test_altered_weights_are_told(saved: Path) -> None:
    content = bytearray((saved / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (saved / WEIGHTS).write_bytes(content)
    assert "model.safetensors was altered (sha256" in told(lambda: load_checkpoint(saved))


def test_another_motion_space_is_told(saved: Path) -> None:
    message = told(lambda: load_checkpoint(saved, facemesh_space()))
    assert "motion of the space 's' (5 mouth and 3 rest numbers at 25 fps), and 'facemesh' (12 and 12" in message
    moved = SPACE.model_copy(update={"mean": (0.5,) * 8})
    assert "they differ in mean" in told(lambda: load_checkpoint(saved, moved))


def test_another_version_is_told(saved: Path) -> None:
    edited(saved, lambda v: v.update(format="jamflow/9"))
    assert "has format 'jamflow/9', and this jamdub reads 'jamflow/1'" in told(lambda: load_checkpoint(saved))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": "jamflow/1", "name": 3}', "\udcff"])
def test_a_damaged_description_is_told(saved: Path, content: str) -> None:
    (saved / CONFIG).write_bytes(content.encode("utf-8", "surrogateescape"))
    assert "config.json" in told(lambda: load_checkpoint(saved))


def test_another_vocabulary_is_told(saved: Path) -> None:
    (saved / VOCABULARY).write_text(" \na\nb\n")
    assert "vocab.txt is not the vocabulary" in told(lambda: load_checkpoint(saved))


def test_no_checkpoint_is_told(tmp_path: Path, saved: Path) -> None:
    assert "is no checkpoint (it has no config.json)" in told(lambda: load_checkpoint(tmp_path / "nowhere"))
    (saved / WEIGHTS).unlink()
    assert "model.safetensors is missing" in told(lambda: load_checkpoint(saved))


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path, small_model: Any) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert "is there and is no checkpoint" in told(
        lambda: save_checkpoint(tmp_path, small_model(), VOCABULARY_OF_50, DESCRIBED)
    )
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_disk_that_cannot_be_written_is_told(small_model: Any) -> None:
    where = Path("/proc/nowhere/small")
    assert "cannot be written" in told(lambda: save_checkpoint(where, small_model(), VOCABULARY_OF_50, DESCRIBED))


# Released weights of F5-TTS


def released_names(network: AudioDiT) -> dict[str, torch.Tensor]:
    """Our state under upstream's names: the loader's table read backwards."""
    released = {}
    for name, tensor in network.state_dict().items():
        if ".qkv." in name:
            for part, rows in zip("qkv", tensor.chunk(3), strict=True):
                released[f"{f5._PREFIX}{backwards(name.replace('qkv', part))}"] = rows.clone()
        else:
            released[f5._PREFIX + backwards(name)] = tensor
    return {**released, "initted": torch.tensor(True), "step": torch.tensor(1250000)}


def backwards(name: str) -> str:
    for pattern, ours in f5._NAMES:
        upstream = pattern.removeprefix("^").replace("\\.", ".")
        ours = ours.replace("\\2", "([qkv])") if "\\2" in ours else ours
        regex = re.escape(ours).replace("\\\\1", r"(\d+)").replace(re.escape("([qkv])"), "([qkv])")
        match = re.match(regex, name)
        if match:
            for group in match.groups():
                upstream = re.sub(r"\(\\d\+\)|\(\[qkv\]\)|\[qkv\]", group, upstream, count=1)
            return upstream.replace("([qkv])", "") + name[match.end() :]
    raise AssertionError(name)


@pytest.fixture(scope="module")
def network() -> AudioDiT:
    torch.manual_seed(3)
    config = replace(V1_BASE, trunk=replace(trunk(64, 2, 2, 32), attends_padding=True), text_width=32, text_layers=1)
    return AudioDiT(replace(config, vocabulary_size=50)).eval()


@pytest.mark.parametrize("kind", ["safetensors", "pt"])
def test_released_layouts_are_read(tmp_path: Path, network: AudioDiT, kind: str) -> None:
    path = tmp_path / f"model_1250000.{kind}"
    released = released_names(network)
    if kind == "pt":  # a training checkpoint: the averaged weights are the released ones
        wrong = {name: tensor + 1 for name, tensor in released.items()}
        torch.save({"model_state_dict": wrong, "ema_model_state_dict": released, "update": 7}, path)
    else:
        save_file(released, path)
    read = f5.audio_dit(read_tensors(path), network.config, path)
    for name, tensor in network.state_dict().items():
        assert torch.equal(read.state_dict()[name], tensor), name


def test_released_names_are_upstream_s(goldens: Any) -> None:
    """The reversed table gives upstream's own names, all of them, at the released size."""
    with torch.device("meta"):
        base = AudioDiT(V1_BASE)
    ours = {name for name in released_names(base) if name.startswith(f5._PREFIX)}
    assert ours == {name for name in goldens.base_keys if name.startswith(f5._PREFIX) and "inv_freq" not in name}


@pytest.mark.parametrize("release", RELEASES)
def test_a_wrong_pairing_is_told_by_the_folder(tmp_path: Path, network: AudioDiT, release: str) -> None:
    other = next(name for name in RELEASES if name != release)
    path = tmp_path / release / "model.safetensors"
    path.parent.mkdir()
    save_file(released_names(network), path)
    message = told(lambda: f5.load_release(path, other))
    assert f"is {release} by its folder, and was to be read as {other}" in message
    assert f"pass --release {release}" in message


def test_a_wrong_pairing_is_told_by_the_hash(
    tmp_path: Path, network: AudioDiT, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "renamed.safetensors"
    save_file(released_names(network), path)
    monkeypatch.setattr(f5, "HASHES", {f5.sha256_of(path): "F5TTS_v1_Base"})
    assert "is F5TTS_v1_Base by its sha256, and was to be read as F5TTS_Base" in told(
        lambda: f5.load_release(path, "F5TTS_Base")
    )


def test_other_networks_are_told(tmp_path: Path, network: AudioDiT) -> None:
    path, released = tmp_path / "m.safetensors", released_names(network)
    name = f5._PREFIX + "proj_out.weight"
    for change, expected in (
        ({"extra": torch.zeros(1)}, "it has also extra"),
        ({name: torch.zeros(7, 64)}, "trunk.velocity.weight is [7, 64] in place of [100, 64]"),
        ({f5._PREFIX + "rotary_embed.inv_freq": torch.ones(16)}, "not that of base 10000 over 32 numbers"),
    ):
        save_file({**released, **change}, path)
        tensors = read_tensors(path)
        assert expected in told(lambda tensors=tensors: f5.audio_dit(tensors, network.config, path))
    del released[name]
    assert "it lacks trunk.velocity.weight" in told(lambda: f5.audio_dit(released, network.config, path))
    save_file(released_names(network), path)
    assert "is not this network" in told(lambda: f5.load_release(path, "F5TTS_v1_Base"))
    assert "unknown F5-TTS release 'v2'" in told(lambda: f5.load_release(path, "v2"))


class Code:
    """An object whose pickle runs a command when it is loaded without care."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def test_code_in_a_file_does_not_run(tmp_path: Path, network: AudioDiT) -> None:
    path = tmp_path / "model.pt"
    torch.save({"ema_model_state_dict": released_names(network), "hook": Code(tmp_path / "ran")}, path)
    assert "is refused: it is damaged, or holds more than tensors" in told(lambda: read_tensors(path))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kind", ["safetensors", "pt"])
def test_files_cut_short_are_told(tmp_path: Path, network: AudioDiT, kind: str) -> None:
    path = tmp_path / f"m.{kind}"
    (save_file if kind == "safetensors" else torch.save)(released_names(network), path)
    whole = path.read_bytes()
    for size in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        message = told(lambda: read_tensors(path))
        assert str(path) in message and ("cut short" in message or "refused" in message)


def test_flipped_bits_never_escape_as_another_error(tmp_path: Path) -> None:
    path, generator = tmp_path / "m.pt", torch.Generator().manual_seed(0)
    torch.save({"a": torch.zeros(3), "b": [torch.ones(2)]}, path)
    whole = path.read_bytes()
    for place in torch.randint(0, len(whole), (300,), generator=generator).tolist():
        content = bytearray(whole)
        content[place] ^= 1 << (place % 8)
        path.write_bytes(content)
        try:
            read_tensors(path)
        except WeightsError:
            continue


def test_what_is_no_weight_file_is_told(tmp_path: Path) -> None:
    assert "does not exist" in told(lambda: read_tensors(tmp_path / "nowhere.pt"))
    torch.save([1, 2], tmp_path / "list.pt")
    assert "holds a list in place of named tensors" in told(lambda: read_tensors(tmp_path / "list.pt"))
    torch.save({"epoch": 3}, tmp_path / "numbers.pt")
    assert "holds no tensors" in told(lambda: read_tensors(tmp_path / "numbers.pt"))


def test_a_joint_model_starts_from_its_seed(tmp_path: Path, network: AudioDiT, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.safetensors"
    save_file(released_names(network), path)
    monkeypatch.setattr(f5, "RELEASES", {"small": network.config})
    one, same, other = (f5.join_release(path, "small", SPACE, seed) for seed in (0, 0, 1))
    assert torch.equal(one.motion.inputs.weight, same.motion.inputs.weight)
    assert not torch.equal(one.motion.inputs.weight, other.motion.inputs.weight)
    assert isinstance(one, JamFlow) and not one.config.audio.trunk.attends_padding
