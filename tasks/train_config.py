"""The file that describes a training."""

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.errors import RequestError
from schemas.settings import Settings
from schemas.training import Training
from storage.places import local_path


def read_training(path: Path, out: Path | None = None) -> Training:
    """Read a TOML file; paths in it are relative to its folder, and held to `files_root`: sentences are read aloud.

    Args:
        out: Folder of the training, in place of the file's; relative to the working directory.

    Raises:
        RequestError: It cannot be read, or a value is missing, unknown or out of range, or a path outside of the root.
    """
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RequestError(f"{path} cannot be read ({error.strerror}): name the TOML file of a training") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RequestError(f"{path} is no TOML ({error}): compare examples/train-tiny.toml") from error
    if out is not None:
        values["out"] = str(out.absolute())
    folder, settings = path.absolute().parent, Settings()

    def placed(named: Path) -> Path:
        return local_path(os.path.normpath(folder / named), settings)

    try:
        return Training.model_validate(values, context={"place": placed})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        given = "" if isinstance(first["input"], dict) else f" = {first['input']!r}"
        raise RequestError(f"{path}: {place}{given}: {first['msg']}; see docs/training.md") from error
