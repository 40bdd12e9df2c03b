"""docs/jamflow.md tells the truth about sizes, modes and choices."""

from pathlib import Path

import pytest
import torch
from torch import nn

from models.facemesh.space import space
from models.jamflow.config import AUDIO, joined
from models.jamflow.joint import JamFlow
from models.jamflow.modes import MODES, Need

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "jamflow.md").read_text()
SAID = {Need.REQUIRED: ("yes", "given"), Need.OPTIONAL: ("may",), Need.REFUSED: ("–",)}


def row_of(name: str) -> list[str]:
    line = next(line for line in PAGE.splitlines() if line.startswith((f"| {name} ", f"| `{name}`")))
    return [cell.strip() for cell in line.strip("|").split("|")]


def count(module: nn.Module) -> str:
    return f"{sum(parameter.numel() for parameter in module.parameters()):,}"


@pytest.mark.parametrize("name", AUDIO)
def test_parameter_counts(name: str) -> None:
    with torch.device("meta"):
        model = JamFlow(joined(AUDIO[name], space()))
    trunk = model.config.audio.trunk
    sizes = f"{trunk.depth} × {trunk.width}, {trunk.heads} × {trunk.head_width}"
    assert row_of(name) == [name, sizes, count(model.audio), count(model.motion), count(model)]


@pytest.mark.parametrize("name", MODES)
def test_modes(name: str) -> None:
    mode = MODES[name]
    _, text, voice, sound, mouth, rest, generated = row_of(name)
    for told, need in ((text, mode.text), (voice, mode.voice), (rest, mode.rest)):
        assert told in SAID[need]
    assert sound == ("–" if mode.generates_audio else "given")
    assert mouth == ("–" if mode.generates_mouth or not mode.has_motion else "given")
    made = {"sound": mode.generates_audio, "mouth": mode.generates_mouth}
    assert generated == " and ".join(what for what, is_made in made.items() if is_made)
