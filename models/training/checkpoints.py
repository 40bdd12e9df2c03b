"""Checkpoints of a training in a folder: step-0000123.pt is the state after 123 steps.

A file appears whole or not at all. It is read as data (`weights_only`): no code in it can run.
"""

import logging
import os
import pickle
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from schemas.errors import WeightsError

_NAME = re.compile(r"step-(\d{7,})\.pt")
_UNFINISHED = ".step.pt.unfinished"  # one name, so that what a kill left behind is written over
_FIELDS = {"step", "seconds", "cpu_seconds", "state"}
_DAMAGE = (pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, EOFError, ValueError, LookupError, TypeError)


@dataclass(frozen=True)
class Checkpoint:
    """A training at rest.

    Attributes:
        step: Steps that were done.
        seconds, cpu_seconds: What they took, over all resumes.
        state: Of the trainee.
    """

    step: int
    seconds: float
    cpu_seconds: float
    state: dict[str, Any]


def checkpoint_path(folder: Path, step: int) -> Path:
    """Where the checkpoint after so many steps lies."""
    return folder / f"step-{step:07d}.pt"


def write_checkpoint(folder: Path, checkpoint: Checkpoint, *, keep: int) -> Path:
    """Write a checkpoint, then remove all but the newest `keep`, and any of later steps: those were passed over.

    Raises:
        WeightsError: The disk cannot be written; older checkpoints are as they were.
    """
    path, unfinished = checkpoint_path(folder, checkpoint.step), folder / _UNFINISHED
    try:
        with unfinished.open("wb") as file:
            torch.save(vars(checkpoint), file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        _sync_folder(folder)
    except (OSError, RuntimeError) as error:  # RuntimeError: torch's, of a full disk
        unfinished.unlink(missing_ok=True)
        raise WeightsError(f"{path} cannot be written ({error}): free some space and start again") from error
    _rotate(folder, checkpoint.step, keep)
    return path


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _rotate(folder: Path, newest: int, keep: int) -> None:
    there = dict(_listed(folder))
    kept = sorted(step for step in there if step <= newest)[-max(1, keep) :]
    for step, path in there.items():
        if step not in kept:
            path.unlink()


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """Read the newest whole checkpoint, with a warning for each damaged one; None where there are none at all.

    Raises:
        WeightsError: There are some, and all are damaged.
    """
    paths = [path for _, path in sorted(_listed(folder), reverse=True)]
    for path in paths:
        try:
            return read_checkpoint(path)
        except WeightsError as error:
            logging.getLogger(__name__).warning("%s; going back to the checkpoint before it", error)
    if paths:
        raise WeightsError(f"no checkpoint in {folder} can be read: remove them to begin anew, or copy them again")
    return None


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint onto the CPU.

    Raises:
        WeightsError: It is missing, damaged in any bit, or no checkpoint.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            altered = archive.testzip()  # torch does not look at the checksums that it writes
        if altered is not None:
            raise WeightsError(f"{path} is damaged (in {altered})")
        held = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(f"{path} does not exist: check the path of the checkpoint") from error
    except _DAMAGE as error:
        raise WeightsError(f"{path} is damaged or cut short ({type(error).__name__})") from error
    if not isinstance(held, dict) or held.keys() != _FIELDS:
        raise WeightsError(f"{path} is no checkpoint of a training")
    return Checkpoint(**held)


def _listed(folder: Path) -> Iterator[tuple[int, Path]]:
    for path in folder.iterdir() if folder.is_dir() else ():
        if found := _NAME.fullmatch(path.name):
            yield int(found.group(1)), path
