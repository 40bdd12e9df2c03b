"""The trained weights as one folder that says what it is, every hash of it sealed.

config.json, model.safetensors, vocab.txt   the joint model, averaged
vocoder/                                    mel to sound
timing/                                     natural durations of phones, and the reader of mouths
SHA256SUMS                                  of all of them
"""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import torch

from models.jamflow.checkpoint import CONFIG, Description, save_checkpoint
from models.jamflow.vocoder import load_vocoder
from models.performer.engine import load_timing
from models.weights.folders import seal
from schemas.errors import RequestError, WeightsError
from schemas.training import Card, Training
from tasks.recipe import RECIPE_FILE
from tasks.stage import long_task
from tasks.train_faces import space_of
from tasks.train_networks import JOINT, averaged
from tasks.train_parts import network_of, start_of
from tasks.train_stage import say
from tasks.train_timing import TIMING
from tasks.train_vocoder import VOCODER

EXPORT = "export"
_DTYPES: Mapping[str, torch.dtype] = MappingProxyType(
    {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}
)


@long_task("export-joint")
def export_joint(config: Training, vocoder: Path | None, timing: Path | None) -> Path:
    """Write the folder, whole or not at all, in place of an older one; returns it."""
    assert config.export is not None and config.joint is not None
    check_card(config, config.export)
    folder, vocoder, timing = config.out / EXPORT, vocoder or config.export.vocoder, timing or config.export.timing
    if folder.exists() and not (folder / CONFIG).is_file():
        raise WeightsError(f"{folder} is there and holds no exported weights: move it away")
    try:
        building = Path(tempfile.mkdtemp(prefix=f".{EXPORT}-", dir=config.out))
        try:
            _write(building / EXPORT, config, config.export, vocoder, timing)
            _put(building / EXPORT, folder, aside=building / "old")
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        raise WeightsError(f"{folder} cannot be written ({error}): free some space and start again") from error
    say(f"exported to {folder}")
    return folder


def check_card(config: Training, card: Card) -> None:
    """Raises: RequestError, where the card allows what the weights that stage 2 began with forbid."""
    start = start_of(config)
    if start is not None and card.commercial_use and not start.commercial_use:
        raise RequestError(
            f"export.commercial_use is true, and {start.path} is under {start.licence}, which forbids it: what is "
            f"trained from such weights stays under their terms; set it to false"
        )


def _write(folder: Path, config: Training, card: Card, vocoder: Path | None, timing: Path | None) -> None:
    network, vocabulary = network_of(config)
    assert config.joint is not None
    about = Description(
        name=card.name,
        origin=card.origin,
        licence=card.licence,
        commercial_use=card.commercial_use,
        config={},
        motion_space=space_of(config.features),
        vocabulary_sha256="0" * 64,
    )
    model = averaged(config.out / JOINT, network, config.joint.ema_decay)
    save_checkpoint(folder, model, vocabulary, about, _DTYPES[card.precision])
    if vocoder is not None:
        load_vocoder(vocoder)  # what cannot be read is not shipped
        shutil.copytree(vocoder, folder / VOCODER)
    if timing is not None:
        load_timing(timing)
        shutil.copytree(timing, folder / TIMING, ignore=shutil.ignore_patterns(RECIPE_FILE, "*.part", ".*"))
    seal(folder)


def _put(made: Path, folder: Path, aside: Path) -> None:
    if folder.exists():
        folder.rename(aside)
    made.rename(folder)
