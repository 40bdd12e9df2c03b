"""The way of an official F5-TTS file at its full size, as a user goes it: convert, verify, load, run."""

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from models.facemesh.space import space
from models.jamflow.audio_dit import AudioGiven
from models.jamflow.checkpoint import load_checkpoint
from models.jamflow.conditions import Given, Pair

Jamdub = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = [pytest.mark.shared, pytest.mark.slow]


def test_parity_of_a_converted_release(run_jamdub: Jamdub, tmp_path: Path, goldens: Any) -> None:
    """2.7 GB of weights that upstream never saw, and the golden output of its network at full size."""
    jamdub = partial(run_jamdub, "models")
    source = tmp_path / "F5TTS_v1_Base" / "model_1250000.safetensors"
    source.parent.mkdir()
    prefixed = {f"ema_model.transformer.{name}": tensor for name, tensor in goldens.state("F5TTS_v1_Base").items()}
    save_file({**prefixed, "initted": torch.tensor(True), "step": torch.tensor(1250000)}, source)
    refused = jamdub("convert", source, tmp_path / "joint", "--release", "F5TTS_Base")
    assert refused.returncode == 1 and "is F5TTS_v1_Base by its folder" in refused.stderr
    assert not (tmp_path / "joint").exists()
    made = jamdub("convert", source, tmp_path / "joint", "--release", "F5TTS_v1_Base")
    assert made.returncode == 0 and "not for commercial use" in made.stdout, made.stderr
    source.unlink()
    checked = jamdub("verify", tmp_path / "joint")
    assert checked.returncode == 0 and "667.9 M" in checked.stdout and "facemesh, 12 + 12" in checked.stdout
    model = load_checkpoint(tmp_path / "joint", space()).model
    case = goldens.case("F5TTS_v1_Base.forward")
    x, cond, tokens, time = (goldens.input(case, name) for name in ("x", "cond", "text", "time"))
    yes = torch.ones(1, dtype=torch.bool)
    sound = AudioGiven(cond, torch.ones(x.shape[:2], dtype=torch.bool), tokens, yes, torch.tensor([x.shape[1]]), yes)
    with torch.inference_mode():
        out = model(Pair(x, None), Pair(time.reshape(-1), None), Given(sound, None, ~yes, ~yes)).audio
    assert goldens.excess(case, "out", out) < 1
