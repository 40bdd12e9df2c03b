"""Outputs of the commands beside `dub`: refused before work where they are in the way, written whole afterwards."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from models.weights.files import sha256_of
from schemas.dub import FileRecord
from schemas.errors import RequestError
from schemas.settings import Settings
from storage.files import File, LocalFile
from storage.places import folder_of, open_file, prepare_folder


def receipt_place(out: str) -> str:
    """Where the receipt of an output lies: beside it."""
    out = out.rstrip("/")
    return f"{out.removesuffix(PurePosixPath(out).suffix)}.receipt.json"


def check_outputs(outputs: Sequence[str], inputs: Iterable[str], settings: Settings, *, overwrite: bool) -> None:
    """Refuse outputs that would replace an input, that are there already, or that cannot be written.

    Raises: RequestError, which names the file; StorageError, where a bucket cannot be asked.
    """
    sources = {open_file(place, settings).resolved for place in inputs}
    files = [open_file(place, settings) for place in outputs]
    for file in files:
        if file.resolved in sources:
            raise RequestError(f"{file.place}: the output would replace its own input; choose another --out")
        if _is_folder(file):
            raise RequestError(f"{file.place} is a folder; name a file with --out")
        if file.size_bytes() is not None and not overwrite:
            raise RequestError(f"{file.place} is already there; pass --overwrite or another --out")
    if len({file.resolved for file in files}) != len(files):
        raise RequestError(f"two outputs are both {outputs[0]}; give them different names")


def _is_folder(file: File) -> bool:
    return file.path.is_dir() if isinstance(file, LocalFile) else not PurePosixPath(file.place).suffix


def prepare_folders(outputs: Iterable[str], settings: Settings) -> None:
    """Make the outputs' folders and prove that they can be written to. Raises: RequestError, where they cannot."""
    for folder in dict.fromkeys(map(folder_of, outputs)):
        prepare_folder(folder, settings)


def record(name: str, data: bytes) -> FileRecord:
    """A file as receipts name it."""
    return FileRecord(name=name, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))


def record_file(path: Path) -> FileRecord:
    """The same of a file on disk, which may be large."""
    return FileRecord(name=path.name, sha256=sha256_of(path), size_bytes=path.stat().st_size)
