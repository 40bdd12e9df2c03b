"""Weights that are a whole folder: sealed by a SHA256SUMS file, as `sha256sum -c` reads it, and checked against it."""

import os
import tempfile
from pathlib import Path

from models.weights.files import sha256_of
from schemas.errors import WeightsError

SUMS = "SHA256SUMS"
_HASH_LETTERS = 64


def seal(folder: Path) -> str:
    """Write the hashes of all files in a folder and below; returns the folder's own hash.

    Raises:
        WeightsError: The folder is not there, is empty, or cannot be written to.
    """
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    listed = [name for name in files if name != SUMS and not Path(name).name.startswith(".")]
    if not listed:
        raise WeightsError(f"{folder} holds no files: check the path of the weights")
    listing = "".join(f"{sha256_of(folder / name)}  {name}\n" for name in listed)
    try:
        handle, partial = tempfile.mkstemp(dir=folder, prefix=".sums-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(listing)
        Path(partial).chmod(0o644)
        Path(partial).replace(folder / SUMS)
    except OSError as error:
        raise WeightsError(f"{folder} cannot be written to ({error.strerror}): check its permissions") from error
    return sha256_of(folder / SUMS)


def checked(folder: Path) -> str:
    """Check every file that a folder's SHA256SUMS lists; returns the folder's own hash, which is that list's.

    Raises:
        WeightsError: It is not sealed, or a file is missing or altered.
    """
    for digest, name in _listed(folder):
        path = folder / name
        if not path.is_file():
            raise WeightsError(f"{path} is missing: copy the folder {folder.name} again")
        if sha256_of(path) != digest:
            raise WeightsError(
                f"{path} was altered (sha256 {sha256_of(path)[:12]}… instead of {digest[:12]}…): copy it again, or, "
                f"where the change is meant, `jamdub models seal {folder}`"
            )
    return sha256_of(folder / SUMS)


def size_bytes(folder: Path) -> int:
    """Of all files that the folder's SHA256SUMS lists. Raises: WeightsError, where it is not sealed."""
    return sum((folder / name).stat().st_size for _, name in _listed(folder))


def _listed(folder: Path) -> list[tuple[str, str]]:
    """(hash, path inside the folder) of each file; a path that leaves the folder is refused."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(
            f"{folder} has no readable {SUMS}, so nothing says that it is whole: `jamdub models seal {folder}`"
        ) from error
    pairs = [(line[:_HASH_LETTERS], line[_HASH_LETTERS + 2 :]) for line in lines if line.strip()]
    root = folder.resolve()
    if not pairs or any(not (folder / name).resolve().is_relative_to(root) or not name for _, name in pairs):
        raise WeightsError(f"{folder / SUMS} is damaged: `jamdub models seal {folder}` writes it anew")
    return pairs
