"""Golden numbers of the upstream networks, and small random models and clips for theorems."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))  # with importlib, tests do not find their neighbours

from goldens import GoldenCases

from models.jamflow.audio_dit import AudioDiT, AudioGiven
from models.jamflow.conditions import Given, Pair
from models.jamflow.config import (
    COUPLING,
    AudioConfig,
    JamFlowConfig,
    JointConfig,
    MotionConfig,
    TrunkConfig,
    audio,
    trunk,
)
from models.jamflow.f5 import audio_dit
from models.jamflow.joint import JamFlow
from models.jamflow.motion_dit import MotionGiven


class Goldens(GoldenCases):
    """F5-TTS's."""

    upstream = "f5tts"

    @cached_property
    def base_keys(self) -> dict[str, Any]:
        return json.loads((self.folder / "f5tts_v1_base_keys.json").read_text())["keys"]

    def state(self, model: str) -> dict[str, Tensor]:
        """The weights of one of the golden networks, under their released names."""
        entry = self.index["models"][model]
        prefix = "" if "keys" in entry else "ema_model.transformer."
        state = self.fill.empty_state(entry.get("keys", self.base_keys), strip=prefix)
        self.fill.fill_(state, entry["fill"]["seed"], entry["fill"]["gain"])
        assert self.fill.fingerprint(state)["abs_sum"] == pytest.approx(entry["fingerprint"]["abs_sum"], rel=1e-6)
        return state

    def network(self, model: str) -> AudioDiT:
        return audio_dit(self.state(model), audio_config(self.index["models"][model]["arch"]), Path(model))

    def excess(self, case: dict[str, Any], output: str, ours: Tensor) -> float:
        """The largest difference to a golden output, as a share of what the case tolerates."""
        described = case["outputs"][output]
        golden = self.tensors[described["tensor"]]
        if described["strides"]:
            ours = ours[tuple(slice(None, None, stride) for stride in described["strides"])]
        assert ours.shape == golden.shape
        tolerance, difference = case["tolerance"], (ours - golden).abs()
        share = float((difference / (tolerance["atol"] + tolerance["rtol"] * golden.abs())).max())
        self.found.append((f"{case['name']} {output}", float(difference.max()), share))
        return share


def audio_config(arch: dict[str, Any]) -> AudioConfig:
    """Upstream's arguments in our words."""
    trunk = TrunkConfig(
        width=arch["dim"],
        depth=arch["depth"],
        heads=arch["heads"],
        head_width=arch["dim_head"],
        ff_mult=arch["ff_mult"],
        rotary_heads=arch["pe_attn_head"] or arch["heads"],
        attends_padding=not arch.get("attn_mask_enabled", False),
        dropout=0.1,
        position_kernel=31,
        position_groups=16,
    )
    return AudioConfig(
        trunk=trunk,
        mel_bands=arch["mel_dim"],
        vocabulary_size=arch["text_num_embeds"],
        text_width=arch["text_dim"],
        text_layers=arch["conv_layers"],
        text_mult=2,
        masks_text_filler=arch["text_mask_padding"],
        encodes_padding=True,
    )


@pytest.fixture(scope="session")
def goldens(shared_dir: Path) -> Iterator[Goldens]:
    """Writes docs/parity.md's table to the file that JAMDUB_PARITY_TABLE names, if it names one."""
    goldens = Goldens(shared_dir / "parity")
    yield goldens
    goldens.write_table()


BANDS, MOUTH, REST, RATIO = 100, 5, 3, 3.75
OPEN = replace(COUPLING, is_gated=False)


def _small_config(coupling: JointConfig = OPEN, features: int = 0) -> JamFlowConfig:
    return JamFlowConfig(
        audio(trunk(64, 4, 2, 32), 32, 2, 50),
        MotionConfig(trunk(48, 4, 2, 32), MOUTH, REST, RATIO, features),
        coupling,
    )


def _small_model(coupling: JointConfig = OPEN, seed: int = 0, features: int = 0) -> JamFlow:
    """Random everywhere: a fresh model has zeros where these theorems need numbers."""
    torch.manual_seed(seed)
    model = JamFlow(_small_config(coupling, features))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name != "gates":
                parameter.normal_(0, 0.3 / max(1, parameter[0].numel()) ** 0.5 if parameter.dim() > 1 else 0.1)
    return model.eval()


def _clip(mel_frames: int, motion_frames: int, seed: int = 0, *, listens: bool = True) -> tuple[Given, Pair[Tensor]]:
    """A clip of random material, half of it known, and a state."""
    torch.manual_seed(1000 + seed)
    yes = torch.ones(1, dtype=torch.bool)
    sound = AudioGiven(
        mel=torch.randn(1, mel_frames, BANDS),
        known=torch.arange(mel_frames)[None] < mel_frames // 2,
        tokens=torch.randint(0, 50, (1, max(1, mel_frames // 3))),
        has_text=yes,
        lengths=torch.tensor([mel_frames]),
        is_generated=yes,
    )
    motion = MotionGiven(
        mouth=torch.randn(1, motion_frames, MOUTH),
        mouth_known=torch.arange(motion_frames)[None] < motion_frames // 3,
        rest=torch.randn(1, motion_frames, REST),
        rest_known=torch.ones(1, motion_frames, dtype=torch.bool),
        lengths=torch.tensor([motion_frames]),
        is_generated=yes,
    )
    state = Pair(torch.randn(1, mel_frames, BANDS), torch.randn(1, motion_frames, MOUTH))
    return Given(sound, motion if motion_frames else None, yes & listens, yes & listens), state


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Small products gain nothing from a second thread, and beside another process two of them wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def small_model() -> Callable[..., JamFlow]:
    return _small_model


@pytest.fixture(scope="session")
def clip() -> Callable[..., tuple[Given, Pair[Tensor]]]:
    return _clip
