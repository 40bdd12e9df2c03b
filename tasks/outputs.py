"""Outputs of the commands beside `dub`: refused before work where they are in the way, written whole afterwards."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from models.weights.files import sha256_of
from schemas.dub import FileRecord
from schemas.errors import RequestError
from schemas.settings import Settings
from storage.places import prepare_folder


def receipt_path(out: Path) -> Path:
    """Where the receipt of an output lies: beside it."""
    return out.with_suffix(".receipt.json")


def check_outputs(outputs: Sequence[Path], inputs: Sequence[Path], *, overwrite: bool) -> None:
    """Refuse outputs that would replace an input, that are there already, or that cannot be written.

    Raises: RequestError, which names the file.
    """
    sources = {path.resolve() for path in inputs}
    for path in outputs:
        if path.resolve() in sources:
            raise RequestError(f"{path}: the output would replace its own input; choose another --out")
        if path.is_dir():
            raise RequestError(f"{path} is a folder; name a file with --out")
        if path.exists() and not overwrite:
            raise RequestError(f"{path} is already there; pass --overwrite or another --out")
    if len({path.resolve() for path in outputs}) != len(outputs):
        raise RequestError(f"two outputs are both {outputs[0]}; give them different names")


def prepare_folders(outputs: Sequence[Path]) -> None:
    """Make the outputs' folders and prove that they can be written to. Raises: RequestError, where they cannot."""
    for folder in dict.fromkeys(path.parent for path in outputs):
        prepare_folder(str(folder), Settings())


def record(name: str, data: bytes) -> FileRecord:
    """A file as receipts name it."""
    return FileRecord(name=name, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))


def record_file(path: Path) -> FileRecord:
    """The same of a file on disk, which may be large."""
    return FileRecord(name=path.name, sha256=sha256_of(path), size_bytes=path.stat().st_size)
