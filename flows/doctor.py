"""What a machine has and lacks for dubbing, each with how to get it."""

import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from media.tools import find_tools
from models.weights.resolve import jamflow, status
from schemas.errors import StorageError, ToolError, WeightsError
from schemas.settings import Settings
from storage.engine import reach
from storage.objects import open_store

LEAST_FREE_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Check:
    """One thing a dub needs or can use."""

    name: str
    is_present: bool
    is_required: bool
    detail: str


def examine(settings: Settings) -> tuple[Check, ...]:
    """Look at tools, weights, translation, the accelerator, the disk and the servers that the settings name."""
    weights = (
        Check(
            f"weights {item.name}", item.present, True, item.remedy or f"{item.size_bytes / 1e6:.1f} MB, {item.licence}"
        )
        for item in status(settings.models_dir, settings.cache_dir)
    )
    machine = (_gpu(), _disk(settings), _store(settings), _catalogue(settings))
    return (_python(), *_tools(settings), *weights, _engine(settings), *_translation(settings), *machine)


def _python() -> Check:
    return Check("python", True, True, platform.python_version())


def _tools(settings: Settings) -> tuple[Check, ...]:
    try:
        tools = find_tools(settings.ffmpeg, settings.ffprobe, settings.tool_timeout_s)
    except ToolError as error:
        return (Check("ffmpeg", False, True, str(error)),)
    return tuple(
        Check(name, True, True, str(path)) for name, path in (("ffmpeg", tools.ffmpeg), ("ffprobe", tools.ffprobe))
    )


def _engine(settings: Settings) -> Check:
    try:
        found = jamflow(settings.models_dir)
    except WeightsError as error:
        return Check("engine jamflow", False, False, str(error))
    return Check("engine jamflow", True, False, f"{found.path}, {found.ref.licence}")


def _translation(settings: Settings) -> tuple[Check, ...]:
    apertium = shutil.which("apertium")
    marian = sorted(path.name for path in settings.models_dir.glob("opus-mt-*")) if settings.models_dir else []
    return (
        Check(
            "apertium",
            apertium is not None,
            False,
            apertium or "apt-get install apertium apertium-eng-spa (and other pairs)",
        ),
        Check(
            "marian models",
            bool(marian),
            False,
            ", ".join(marian) or "put checkpoints as opus-mt-SRC-TGT into a folder and name it in JAMDUB_MODELS_DIR",
        ),
    )


def _gpu() -> Check:
    import torch

    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "none: everything runs on the CPU"
    return Check("gpu", torch.cuda.is_available(), False, name)


def _disk(settings: Settings) -> Check:
    folder = next(path for path in (settings.home, *settings.home.absolute().parents) if Path(path).exists())
    free = shutil.disk_usage(folder).free
    return Check("disk", free >= LEAST_FREE_BYTES, True, f"{free / 1e9:.1f} GB free at {folder}")


def _store(settings: Settings) -> Check:
    try:
        next(iter(open_store(settings).list()), None)
    except StorageError as error:
        return Check("object store", False, True, str(error))
    return Check("object store", True, True, settings.resolved_store_url)


def _catalogue(settings: Settings) -> Check:
    if settings.database_url is None:
        return Check("catalogue", True, True, settings.resolved_database_url)
    try:
        return Check("catalogue", True, True, reach(settings.resolved_database_url))
    except StorageError as error:
        return Check("catalogue", False, True, str(error))
