"""Read the released weights: the folder as it is published, each file checked name by name and shape by shape.

    liveportrait/base_models/           appearance_feature_extractor.pth, motion_extractor.pth, warping_module.pth,
                                        spade_generator.pth
    liveportrait/retargeting_models/    stitching_retargeting_module.pth

Nothing in the files says which release they are: LivePortrait for animals has the same shapes. The folder's SHA256SUMS
does (models.weights.folders): whoever puts the files there seals them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from models.liveportrait.appearance import AppearanceExtractor
from models.liveportrait.decoder import SpadeDecoder
from models.liveportrait.motion_extractor import MotionExtractor
from models.liveportrait.retargeting import Correction, eye, lip, stitching
from models.liveportrait.warping import Warping
from models.weights.tensors import build, read_nested, read_tensors
from schemas.errors import WeightsError

APPEARANCE = "base_models/appearance_feature_extractor.pth"
MOTION = "base_models/motion_extractor.pth"
WARPING = "base_models/warping_module.pth"
DECODER = "base_models/spade_generator.pth"
CORRECTIONS = "retargeting_models/stitching_retargeting_module.pth"
FILES = (APPEARANCE, MOTION, WARPING, DECODER, CORRECTIONS)
LICENCE = "MIT"

_STITCHING, _LIP, _EYE = "retarget_shoulder", "retarget_mouth", "retarget_eye"
_WRAPPED = "module."
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Corrections:
    """The three small networks of one file."""

    stitching: Correction
    lip: Correction
    eye: Correction


@dataclass(frozen=True)
class LivePortrait:
    """All networks, in eval mode, float32, on the CPU."""

    appearance: AppearanceExtractor
    motion: MotionExtractor
    warping: Warping
    decoder: SpadeDecoder
    corrections: Corrections


def load_liveportrait(folder: Path) -> LivePortrait:
    """Read all five files.

    Raises:
        WeightsError: One is missing, damaged, holds code, or is of another network.
    """
    check_files(folder)
    return LivePortrait(
        appearance=_load(AppearanceExtractor, folder / APPEARANCE),
        motion=load_motion(folder),
        warping=_load(Warping, folder / WARPING),
        decoder=load_decoder(folder),
        corrections=load_corrections(folder),
    )


def check_files(folder: Path) -> None:
    """Raises: WeightsError, where files are missing; it names all of them."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise WeightsError(
            f"{folder} lacks {', '.join(missing)} of LivePortrait: copy the folder `liveportrait` of the released "
            f"pretrained_weights there, as it is (docs/liveportrait.md)"
        )


def load_motion(folder: Path) -> MotionExtractor:
    """M alone: what reads faces. Raises: WeightsError, as above."""
    check_files(folder)
    return _load(MotionExtractor, folder / MOTION)


def load_decoder(folder: Path) -> SpadeDecoder:
    """G, its spectral norms taken into the weights."""
    path = folder / DECODER
    return build(SpadeDecoder, without_spectral_norm(read_tensors(path), path), path)


def load_corrections(folder: Path) -> Corrections:
    """S, R_lip and R_eye; the other dicts that the file may hold are left alone."""
    path = folder / CORRECTIONS
    held = read_nested(path, (_STITCHING, _LIP, _EYE))
    return Corrections(
        stitching=build(stitching, _unwrapped(held[_STITCHING]), path),
        lip=build(lip, _unwrapped(held[_LIP]), path),
        eye=build(eye, _unwrapped(held[_EYE]), path),
    )


def _load(make: Callable[[], Network], path: Path) -> Network:
    return build(make, read_tensors(path), path)


def _unwrapped(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(_WRAPPED): tensor for name, tensor in state.items()}


def without_spectral_norm(state: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Divide each `weight_orig` by its largest singular value, u W v of the stored vectors, as torch does at inference.

    Raises:
        WeightsError: A vector is missing, or of another length.
    """
    folded = dict(state)
    for name in [name for name in state if name.endswith(".weight_orig")]:
        stem = name.removesuffix("weight_orig")
        weight, u, v = folded.pop(name), folded.pop(f"{stem}weight_u", None), folded.pop(f"{stem}weight_v", None)
        matrix = weight.flatten(1)
        if u is None or v is None or (len(u), len(v)) != tuple(matrix.shape):
            raise WeightsError(f"{path} is not this network: {stem}weight_u or weight_v do not fit {name}")
        folded[f"{stem}weight"] = weight / torch.dot(u, matrix @ v)
    return folded
