"""Golden numbers of upstream's networks and geometry, and folders of released layout with seeded weights."""

import importlib.util
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from models.liveportrait.weights import APPEARANCE, CORRECTIONS, DECODER, MOTION, WARPING

FILES = {
    "appearance_feature_extractor": APPEARANCE,
    "motion_extractor": MOTION,
    "warping_module": WARPING,
    "spade_generator": DECODER,
}
MOST_COUNTS = 5.0
MOST_BEYOND_ONE, MASK_STEP = (0.002, 0.0) if cv2.__version__ < "5" else (0.02, 1 / 255)
"""The pictures were made with OpenCV 4, whose warp rounds places to 1/32 of a pixel (a few of ours, which are float64,
fall on the other side); OpenCV 5 does not round."""
PARTS = {"stitching": "retarget_shoulder", "lip": "retarget_mouth", "eye": "retarget_eye"}


@dataclass
class Golden:
    """The stored cases, and what was found."""

    folder: Path
    found: list[tuple[str, float, float]] = field(default_factory=list)
    """Case and output, largest difference, and that as a share of what the case tolerates."""

    @cached_property
    def index(self) -> dict[str, Any]:
        return json.loads((self.folder / "liveportrait.json").read_text())

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        return load_file(self.folder / "liveportrait.safetensors")

    @cached_property
    def keys(self) -> dict[str, Any]:
        return json.loads((self.folder / "liveportrait_keys.json").read_text())["files"]

    @cached_property
    def fill(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location("parity_fill", self.folder / "fill.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def case(self, name: str) -> dict[str, Any]:
        return next(case for case in self.index["cases"] if case["name"] == name)

    def names(self, kind: str) -> list[str]:
        return [case["name"] for case in self.index["cases"] if case["kind"] == kind]

    def input(self, case: dict[str, Any], name: str) -> Tensor:
        described = case["inputs"][name]
        if "tensor" in described:
            return self.tensors[described["tensor"]]
        if "value" in described:
            return torch.as_tensor(described["value"])
        made: Tensor = self.fill.make_input(described["recipe"])
        return made

    def filled(self, model: str, keys: dict[str, Any], strip: str = "") -> dict[str, Tensor]:
        """Seeded weights under their released names."""
        entry = self.index["models"][model]
        state = self.fill.empty_state(keys, strip=strip)
        self.fill.fill_(state, entry["fill"]["seed"], entry["fill"]["gain"])
        assert self.fill.fingerprint(state)["abs_sum"] == pytest.approx(entry["fingerprint"]["abs_sum"], rel=1e-6)
        return state

    def write(self, folder: Path) -> Path:
        """A folder as LivePortrait's weights are published, of seeded weights."""
        for model, file in FILES.items():
            self.write_one(folder, model, file)
        return self.write_corrections(folder)

    def write_corrections(self, folder: Path) -> Path:
        """The three small networks in their one file."""
        held = {}
        for model, part in PARTS.items():
            state = self.filled(model, self.keys[CORRECTIONS][part], "module.")
            held[part] = {f"module.{name}": tensor for name, tensor in state.items()}
        (folder / CORRECTIONS).parent.mkdir(parents=True, exist_ok=True)
        torch.save(held, folder / CORRECTIONS)
        return folder

    def write_one(self, folder: Path, model: str, file: str) -> None:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        torch.save(self.filled(model, self.keys[file]), folder / file)

    def check(self, case: dict[str, Any], output: str, ours: Tensor) -> None:
        """Compare with a golden output, within the case's tolerance."""
        described = case["outputs"][output]
        golden = self.tensors[described["tensor"]]
        assert list(ours.shape) == described["full"]["shape"]
        if described.get("mean_per_channel"):
            means = ours.transpose(0, 1).flatten(1).mean(dim=1)
            torch.testing.assert_close(means, self.tensors[described["mean_per_channel"]], rtol=1e-3, atol=1e-4)
        if described["strides"]:
            ours = ours[tuple(slice(None, None, stride) for stride in described["strides"])]
        if golden.dtype == torch.uint8:
            difference, tolerated = (ours.int() - golden.int()).abs().float(), torch.tensor(MOST_COUNTS)
            assert (difference > 1).float().mean() <= MOST_BEYOND_ONE
        else:
            tolerance = case["tolerance"] if output != "mask_ori" else {"atol": 1e-4 + MASK_STEP, "rtol": 0}
            difference = (ours - golden).abs()
            tolerated = tolerance["atol"] + tolerance["rtol"] * golden.abs()
        share = float((difference / tolerated).max())
        self.found.append((f"{case['name']} {output}", float(difference.max()), share))
        assert share <= 1, f"{case['name']} {output}: {float(difference.max()):.3g}, {share:.2f} of what is tolerated"

    def table(self) -> str:
        """What was found, as Markdown."""
        rows = [f"| {name} | {difference:.1e} | {share:.2f} |" for name, difference, share in sorted(set(self.found))]
        return "\n".join(["| case, output | max abs error | share of its tolerance |", "|---|---|---|", *rows, ""])


@pytest.fixture(scope="session")
def golden(shared_dir: Path) -> Iterator[Golden]:
    """All cases; where JAMDUB_PARITY_TABLE names a file, what was found is written there."""
    goldens = Golden(shared_dir / "parity")
    yield goldens
    if path := os.environ.get("JAMDUB_PARITY_TABLE"):
        Path(path).write_text(goldens.table())


@pytest.fixture(scope="session")
def seeded(golden: Golden, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The released layout at full size; seeded weights mean nothing to a face."""
    return golden.write(tmp_path_factory.mktemp("liveportrait"))
