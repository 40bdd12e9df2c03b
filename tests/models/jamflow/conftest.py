"""Golden numbers of the upstream networks, and models to hold against them."""

import importlib.util
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from models.jamflow.audio_dit import AudioDiT
from models.jamflow.config import AudioConfig, TrunkConfig
from models.jamflow.f5 import audio_dit


@dataclass(frozen=True)
class Goldens:
    """The folder of golden numbers; its README says how they were made."""

    folder: Path

    @cached_property
    def index(self) -> dict[str, Any]:
        return json.loads((self.folder / "f5tts.json").read_text())

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        return load_file(self.folder / "f5tts.safetensors")

    @cached_property
    def fill(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location("parity_fill", self.folder / "fill.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    @cached_property
    def base_keys(self) -> dict[str, Any]:
        return json.loads((self.folder / "f5tts_v1_base_keys.json").read_text())["keys"]

    def case(self, name: str) -> dict[str, Any]:
        return next(case for case in self.index["cases"] if case["name"] == name)

    def names(self, kind: str) -> set[str]:
        return {case["name"] for case in self.index["cases"] if case["kind"] == kind}

    def input(self, case: dict[str, Any], name: str) -> Tensor | None:
        """An input of a case; None where it has none of that name."""
        described = case["inputs"].get(name)
        if described is None:
            return None
        if "tensor" in described:
            return self.tensors[described["tensor"]]
        if "value" in described:
            return torch.as_tensor(described["value"])
        made: Tensor = self.fill.make_input(described["recipe"])
        return made

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
        tolerance = case["tolerance"]
        return float(((ours - golden).abs() / (tolerance["atol"] + tolerance["rtol"] * golden.abs())).max())


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
def goldens(shared_dir: Path) -> Goldens:
    return Goldens(shared_dir / "parity")
