"""Checkpoints of the joint model: a folder of weights, vocabulary, and a description that is checked against both.

config.json         version, sizes and behaviours, motion space, sample rate, licence, hashes
model.safetensors   the weights; its header holds the hash of the description that they were saved with
vocab.txt           the text's tokens by number
"""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from models.jamflow.config import SAMPLE_RATE_HZ, JamFlowConfig
from models.jamflow.joint import JamFlow
from models.jamflow.tokens import Vocabulary
from models.weights.files import sha256_of
from models.weights.tensors import build, read_tensors
from schemas.artifact import ModelRef, Sha256
from schemas.errors import WeightsError
from schemas.motion import MotionSpace
from schemas.value import Value

FORMAT = "jamflow/1"
CONFIG, WEIGHTS, VOCABULARY = "config.json", "model.safetensors", "vocab.txt"
_SEAL = "description_sha256"


class Description(Value):
    """What a checkpoint says of itself; everything but the weights' hash and size is sealed into the weight file.

    Attributes:
        name: Under which receipts record it.
        origin: What the weights were made from, for people.
    """

    format: str = FORMAT
    name: str
    origin: str
    licence: str
    commercial_use: bool
    config: dict[str, Any]
    motion_space: MotionSpace
    sample_rate_hz: int = SAMPLE_RATE_HZ
    vocabulary_sha256: Sha256
    weights_sha256: Sha256 = "0" * 64
    weights_bytes: int = 0

    @property
    def seal(self) -> str:
        sealed = self.model_dump(mode="json", exclude={"weights_sha256", "weights_bytes"})
        return hashlib.sha256(json.dumps(sealed, sort_keys=True).encode()).hexdigest()

    @property
    def ref(self) -> ModelRef:
        return ModelRef(
            name=self.name,
            revision=self.weights_sha256[:12],
            sha256=self.weights_sha256,
            licence=self.licence,
            commercial_use=self.commercial_use,
            source="directory",
        )


@dataclass(frozen=True)
class Loaded:
    """A checkpoint in memory; the model is in eval mode, float32, on the CPU."""

    model: JamFlow
    vocabulary: Vocabulary
    description: Description


def save_checkpoint(
    folder: Path, model: JamFlow, vocabulary: Vocabulary, description: Description, dtype: torch.dtype = torch.float32
) -> Description:
    """Write a checkpoint that appears whole or not at all; returns its description with the weights' hash.

    Args:
        folder: Replaced where it is a checkpoint already.
        description: Its `config` and `vocabulary_sha256` are filled in here.
        dtype: Precision in which weights are stored.

    Raises:
        WeightsError: The folder holds something else, or the disk cannot be written.
    """
    if folder.exists() and not (folder / CONFIG).is_file():
        raise WeightsError(f"{folder} is there and is no checkpoint: choose another folder")
    described = description.model_copy(
        update={"config": model.config.as_json(), "vocabulary_sha256": vocabulary.sha256}
    )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            described = _write(building, model, vocabulary, described, dtype)
            _replace(building, folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{folder} cannot be written: {error}; free some space or choose another folder") from error
    return described


def _write(
    folder: Path, model: JamFlow, vocabulary: Vocabulary, description: Description, dtype: torch.dtype
) -> Description:
    state = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in model.state_dict().items()}
    weights = folder / WEIGHTS
    save_file(state, weights, metadata={_SEAL: description.seal})
    (folder / VOCABULARY).write_text("\n".join(vocabulary.entries) + "\n", encoding="utf-8", newline="\n")
    hashes = {"weights_sha256": sha256_of(weights), "weights_bytes": weights.stat().st_size}
    described = description.model_copy(update=hashes)
    (folder / CONFIG).write_text(described.model_dump_json(indent=1) + "\n", encoding="utf-8")
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    return described


def _replace(building: Path, folder: Path) -> None:
    """Put a finished folder in place of an old one."""
    building.chmod(0o755)  # mkdtemp's folders are the owner's alone
    if folder.exists():
        old = building.with_name(building.name + "-old")
        folder.rename(old)
        building.rename(folder)
        shutil.rmtree(old)
    else:
        building.rename(folder)


def load_checkpoint(folder: Path, space: MotionSpace | None = None) -> Loaded:
    """Read a checkpoint, every hash and shape of it checked.

    Args:
        folder: Of `save_checkpoint`.
        space: The motion space that the model is to work in; None: whichever it was made for.

    Raises:
        WeightsError: Something is missing, truncated, altered, of another version, or made for another motion space.
    """
    description = read_description(folder)
    if space is not None:
        _check_space(folder, description.motion_space, space)
    vocabulary = Vocabulary.from_file(folder / VOCABULARY)
    if vocabulary.sha256 != description.vocabulary_sha256:
        raise WeightsError(
            f"{folder / VOCABULARY} is not the vocabulary that the model was trained with: copy it again"
        )
    _check_weights(folder / WEIGHTS, description)
    config = _config(folder, description)
    weights = folder / WEIGHTS
    return Loaded(build(lambda: JamFlow(config), read_tensors(weights), weights), vocabulary, description)


def read_description(folder: Path) -> Description:
    """Read what a checkpoint says of itself, without its weights.

    Raises:
        WeightsError: There is none, or it is of another version.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise WeightsError(f"{folder} is no checkpoint (it has no {CONFIG}): check the path")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values.get("format") != FORMAT:
            raise WeightsError(
                f"{path} has format {values.get('format')!r}, and this jamdub reads {FORMAT!r}: "
                f"use the jamdub that wrote it, or convert the weights again"
            )
        return Description.model_validate(values)
    except (ValueError, AttributeError) as error:  # ValidationError is a ValueError
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise WeightsError(f"{path} is damaged ({first}): copy the checkpoint again") from error


def _config(folder: Path, description: Description) -> JamFlowConfig:
    try:
        return JamFlowConfig.from_json(description.config)
    except (TypeError, KeyError, ValueError) as error:
        raise WeightsError(f"{folder / CONFIG} describes no model ({error}): copy the checkpoint again") from error


def _check_weights(path: Path, description: Description) -> None:
    if not path.is_file():
        raise WeightsError(f"{path} is missing: copy the checkpoint again")
    if path.stat().st_size != description.weights_bytes:
        raise WeightsError(
            f"{path} has {path.stat().st_size} bytes instead of {description.weights_bytes}: it was cut short or "
            f"replaced; copy it again"
        )
    if sha256_of(path) != description.weights_sha256:
        raise WeightsError(
            f"{path} was altered (sha256 {sha256_of(path)[:12]}… instead of {description.weights_sha256[:12]}…): "
            f"copy it again"
        )
    with safe_open(path, framework="pt") as file:
        sealed = (file.metadata() or {}).get(_SEAL)
    if sealed != description.seal:
        raise WeightsError(
            f"{path.parent / CONFIG} was changed after the weights were saved with it; sizes, text rules (F5-TTS v0 or "
            f"v1), motion space and licence belong to the weights: copy the checkpoint again"
        )


def _check_space(folder: Path, made_for: MotionSpace, wanted: MotionSpace) -> None:
    if made_for == wanted:
        return
    differing = [name for name in MotionSpace.model_fields if getattr(made_for, name) != getattr(wanted, name)]
    raise WeightsError(
        f"{folder} generates motion of the space {made_for.name!r} ({len(made_for.mouth_dims)} mouth and "
        f"{len(made_for.rest_dims)} rest numbers at {made_for.fps:g} fps), and {wanted.name!r} "
        f"({len(wanted.mouth_dims)} and {len(wanted.rest_dims)} at {wanted.fps:g} fps) is in use; they differ in "
        f"{', '.join(differing)}: choose a checkpoint made for it"
    )
