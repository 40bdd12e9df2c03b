"""The networks against upstream's numbers, at full size, loaded from files of the released layout."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from models.liveportrait.pose import face_motion
from models.liveportrait.retargeting import retargeted, stitched
from models.liveportrait.weights import (
    LivePortrait,
    load_liveportrait,
)

pytestmark = [pytest.mark.shared, pytest.mark.slow]


@pytest.fixture(scope="module")
def networks(seeded: Path) -> LivePortrait:
    return load_liveportrait(seeded)


@torch.inference_mode()
def test_appearance(golden: Any, networks: LivePortrait) -> None:
    case = golden.case("appearance_feature_extractor")
    golden.check(case, "out", networks.appearance(golden.input(case, "x")))


@torch.inference_mode()
@pytest.mark.parametrize("name", ["motion_extractor", "motion_extractor.dark_image"])
def test_motion(golden: Any, networks: LivePortrait, name: str) -> None:
    case = golden.case(name)
    for output, ours in asdict(networks.motion(golden.input(case, "x"))).items():
        golden.check(case, output, ours)


@torch.inference_mode()
def test_motion_in_units(golden: Any, networks: LivePortrait) -> None:
    case = golden.case("get_kp_info")
    motion = face_motion(networks.motion(golden.input(case, "x")))
    golden.check(case, "exp", motion.expression)
    golden.check(case, "kp", motion.canonical)
    golden.check(case, "t", motion.translation)
    golden.check(case, "scale", motion.scale)
    golden.check(case, "x_s", motion.keypoints)


@torch.inference_mode()
def test_warping(golden: Any, networks: LivePortrait) -> None:
    case = golden.case("warping_module")
    volume, source, driving = (golden.input(case, name) for name in ("feature_3d", "kp_source", "kp_driving"))
    motion = networks.warping.motion(volume, source, driving)
    golden.check(case, "mask", motion.shares)
    golden.check(case, "deformation", motion.deformation)
    golden.check(case, "occlusion_map", motion.occlusion)
    golden.check(case, "out", networks.warping.warp(volume, motion))


@torch.inference_mode()
@pytest.mark.parametrize("name", ["spade_generator", "spade_generator.faint_feature"])
def test_decoder(golden: Any, networks: LivePortrait, name: str) -> None:
    case = golden.case(name)
    golden.check(case, "out", networks.decoder(golden.input(case, "x")))


@torch.inference_mode()
@pytest.mark.parametrize("name", ["stitching", "lip", "eye"])
def test_corrections(golden: Any, networks: LivePortrait, name: str) -> None:
    case = golden.case(name)
    golden.check(case, "out", getattr(networks.corrections, name)(golden.input(case, "x")))


@torch.inference_mode()
def test_corrections_applied(golden: Any, networks: LivePortrait) -> None:
    case = golden.case("stitching_applied")
    source, driving = golden.input(case, "kp_source"), golden.input(case, "kp_driving")
    golden.check(case, "x", stitched(networks.corrections.stitching, source, driving))
    for part in ("lip", "eye"):
        case = golden.case(f"retarget_{part}_applied")
        network = getattr(networks.corrections, part)
        golden.check(case, "delta", retargeted(network, golden.input(case, "kp_source"), golden.input(case, "ratio")))
