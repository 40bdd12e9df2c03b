"""Golden numbers of LivePortrait, and folders of its released layout with seeded weights."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from goldens import GoldenCases
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


class Golden(GoldenCases):
    """LivePortrait's."""

    upstream = "liveportrait"

    @cached_property
    def keys(self) -> dict[str, Any]:
        return json.loads((self.folder / "liveportrait_keys.json").read_text())["files"]

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
