"""`jamdub models` as a user meets it."""

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch

from models.facemesh.space import space
from models.jamflow.checkpoint import Description, save_checkpoint
from models.jamflow.config import audio, joined, trunk
from models.jamflow.joint import JamFlow
from models.jamflow.tokens import released_vocabulary

Jamdub = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with one joint checkpoint of random numbers."""
    folder = tmp_path_factory.mktemp("models")
    model = JamFlow(joined(audio(trunk(32, 2, 2, 16), 16, 1, 2545), space()))
    about = Description(
        name="tried", origin="random numbers", licence="CC0-1.0", commercial_use=True, config={},
        motion_space=space(), vocabulary_sha256="0" * 64,
    )  # fmt: skip
    save_checkpoint(folder / "tried", model, released_vocabulary(), about)
    return folder


@pytest.fixture
def jamdub(run_jamdub: Jamdub, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Jamdub:
    """Run `jamdub models` on that folder."""
    monkeypatch.setenv("JAMDUB_MODELS_DIR", str(models_dir))
    monkeypatch.setenv("COLUMNS", "120")
    return partial(run_jamdub, "models")


def test_the_list_tells_what_is_there_and_how_to_get_the_rest(jamdub: Jamdub, models_dir: Path) -> None:
    told = jamdub()
    assert told.returncode == 0, told.stderr
    for fact in ("kokoro", "jamflow: tried", "CC0-1.0", "CC-BY-NC-4.0", f"jamflow: tried: {models_dir / 'tried'}"):
        assert fact in told.stdout
    assert "put model_1250000.safetensors of SWivid/F5-TTS into the folder F5TTS_v1_Base" in told.stdout


def test_a_whole_checkpoint_is_told_as_such(jamdub: Jamdub, models_dir: Path) -> None:
    told = jamdub("verify", models_dir / "tried")
    assert told.returncode == 0, told.stderr
    assert "facemesh, 12 + 12 numbers at 25 fps" in told.stdout and "random numbers" in told.stdout


REFUSED = {
    "nowhere": (("verify", "nowhere.pt"), 1, "nowhere.pt does not exist"),
    "no release": (("verify", "weights.pt"), 2, "nothing in weights.pt says which F5-TTS it is: pass --release"),
    "unknown release": (("convert", "weights.pt", "out", "--release", "v3"), 1, "unknown F5-TTS release 'v3'"),
    "another network": (("convert", "weights.pt", "out", "--release", "F5TTS_v1_Base"), 1, "is not this network"),
    "unknown space": (
        ("convert", "weights.pt", "out", "--release", "F5TTS_v1_Base", "--motion-space", "muppet"), 2,
        "unknown motion space 'muppet': there is facemesh",
    ),
    "there already": (("convert", "weights.pt", "tried", "--release", "F5TTS_v1_Base"), 2, "is already there: pass"),
    "no checkpoint": (("verify", "."), 1, "is no checkpoint (it has no config.json)"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_told_in_one_line(jamdub: Jamdub, case: str, models_dir: Path) -> None:
    args, code, expected = REFUSED[case]
    torch.save({"a": torch.zeros(2)}, models_dir / "weights.pt")
    paths = {name: models_dir / name for name in ("nowhere.pt", "weights.pt", "out", "tried", ".")}
    told = jamdub(*(paths.get(arg, arg) for arg in args))
    assert told.returncode == code and expected in told.stderr, told.stderr
    assert told.stderr.strip().count("\n") == 0 and told.stderr.startswith("jamdub: ")
    assert not (models_dir / "out").exists()
