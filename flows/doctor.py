"""What a machine has and lacks for dubbing, each with how to get it."""

import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from media.tools import find_tools
from models.weights.resolve import jamflow, status
from schemas.errors import ToolError, WeightsError
from schemas.settings import Settings

LEAST_FREE_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Check:
    """One thing a dub needs or can use."""

    name: str
    is_present: bool
    is_required: bool
    detail: str


def examine(settings: Settings) -> tuple[Check, ...]:
    """Look at tools, weights, translation, the accelerator and the disk."""
    weights = (
        Check(
            f"weights {item.name}", item.present, True, item.remedy or f"{item.size_bytes / 1e6:.1f} MB, {item.licence}"
        )
        for item in status(settings.models_dir, settings.cache_dir)
    )
    return (_python(), *_tools(settings), *weights, _engine(settings), *_translation(settings), _gpu(), _disk(settings))


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
