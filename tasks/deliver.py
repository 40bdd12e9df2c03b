"""Hand the finished files over: checked before work begins, written whole or not at all, never over others' work."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from schemas.artifact import ArtifactRef
from schemas.dub import DubRequest, Receipt
from schemas.errors import RequestError, StorageError

UNDECISIVE = {"output_dir", "overwrite", "review"}
"""Fields of a request that do not change what is made."""


def output_paths(request: DubRequest, suffix: str) -> dict[str, Path]:
    """Where each deliverable goes: `STEM.LANG.*` in the output folder."""
    base = f"{Path(request.video).stem}.{request.target_language}"
    names = {
        "video": f"{base}{suffix}",
        "srt": f"{base}.srt",
        "webvtt": f"{base}.vtt",
        "receipt": f"{base}.receipt.json",
        "report": f"{base}.report.html",
    }
    return {kind: Path(request.output_dir) / name for kind, name in names.items()}


def prepare_folder(folder: Path) -> None:
    """Make a folder and prove that it can be written to. Raises: RequestError, where it cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".jamdub-"):
            pass
    except OSError as error:
        raise RequestError(f"{folder}: cannot write there ({error.strerror}); choose another --out") from error


def prepare_output(request: DubRequest) -> None:
    """Make the output folder and prove that it can be written to. Raises: RequestError, where it cannot."""
    prepare_folder(Path(request.output_dir))


def check_output(request: DubRequest, suffix: str) -> None:
    """Refuse to replace the source or another request's deliverables; nothing is written.

    Raises: RequestError, which names the file in the way.
    """
    paths = output_paths(request, suffix)
    if Path(request.video).resolve() in {path.resolve() for path in paths.values()}:
        raise RequestError(f"{request.video}: the dub would replace its own source; choose another --out")
    if not request.overwrite:
        _refuse_foreign(request, paths)


def _refuse_foreign(request: DubRequest, paths: Mapping[str, Path]) -> None:
    taken = [path for path in paths.values() if path.exists()]
    if not taken:
        return
    receipt = read_receipt(paths["receipt"])
    if receipt is None or not same_request(receipt.request, request):
        raise RequestError(f"{taken[0]} is already there, from another run; pass --overwrite or another --out")


def same_request(one: DubRequest, other: DubRequest) -> bool:
    """Whether both ask for the same dub, wherever it goes."""
    return one.model_dump(exclude=UNDECISIVE) == other.model_dump(exclude=UNDECISIVE)


def read_receipt(path: Path) -> Receipt | None:
    """The receipt at `path`; None where there is none that can be read."""
    try:
        return Receipt.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def delivered_before(paths: Mapping[str, Path], inputs: set[str], video: ArtifactRef) -> Receipt | None:
    """The receipt of an earlier, complete delivery of exactly these bytes, or None."""
    if not all(path.is_file() for path in paths.values()):
        return None
    receipt = read_receipt(paths["receipt"])
    if receipt is None or {record.sha256 for record in receipt.inputs} != inputs:
        return None
    same = any(record.sha256 == video.sha256 for record in receipt.outputs)
    return receipt if same and paths["video"].stat().st_size == video.size_bytes else None


def write_whole(path: Path, data: bytes) -> None:
    """Write a file completely or not at all. Raises: StorageError, which names the folder and the bytes needed."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".jamdub-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise StorageError(
            f"{path}: could not write {len(data)} bytes ({error.strerror}); free space and run again: nothing is lost"
        ) from error
