"""Hand the finished files over: checked before work begins, written whole or not at all, never over others' work."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from schemas.artifact import ArtifactRef
from schemas.dub import DubRequest, Receipt
from schemas.errors import RequestError, StorageError
from storage.files import File
from storage.places import join, open_file, prepare_folder
from tasks.workplace import Workplace

LARGEST_EMBEDDED_VIDEO_BYTES = 12_000_000
"""A larger video is linked from the report instead of lying inside it."""
UNDECISIVE = {"output_dir", "overwrite", "review"}
"""Fields of a request that do not change what is made."""


def output_files(request: DubRequest, suffix: str, place: Workplace) -> dict[str, File]:
    """Where each deliverable goes: `STEM.LANG.*` in the output folder, which may be one of a bucket."""
    base = f"{Path(request.video).stem}.{request.target_language}"
    names = {
        "video": f"{base}{suffix}",
        "srt": f"{base}.srt",
        "webvtt": f"{base}.vtt",
        "receipt": f"{base}.receipt.json",
        "report": f"{base}.report.html",
    }
    return {kind: open_file(join(request.output_dir, name), place.settings) for kind, name in names.items()}


def prepare_output(request: DubRequest, place: Workplace) -> None:
    """Make the output folder and prove that it can be written to. Raises: RequestError, where it cannot."""
    prepare_folder(request.output_dir, place.settings)


def check_output(request: DubRequest, suffix: str, place: Workplace) -> None:
    """Refuse to replace the source or another request's deliverables; nothing is written.

    Raises: RequestError, which names the file in the way.
    """
    files = output_files(request, suffix, place)
    if open_file(request.video, place.settings).resolved in {file.resolved for file in files.values()}:
        raise RequestError(f"{request.video}: the dub would replace its own source; choose another --out")
    if not request.overwrite:
        _refuse_foreign(request, files)


def _refuse_foreign(request: DubRequest, files: Mapping[str, File]) -> None:
    taken = [file for file in files.values() if file.size_bytes() is not None]
    if not taken:
        return
    receipt = read_receipt(files["receipt"])
    if receipt is None or not same_request(receipt.request, request):
        raise RequestError(f"{taken[0].place} is already there, from another run; pass --overwrite or another --out")


def same_request(one: DubRequest, other: DubRequest) -> bool:
    """Whether both ask for the same dub, wherever it goes."""
    return one.model_dump(exclude=UNDECISIVE) == other.model_dump(exclude=UNDECISIVE)


def read_receipt(file: File) -> Receipt | None:
    """The receipt in a file; None where there is none that can be read."""
    try:
        return Receipt.model_validate_json(file.read())
    except (StorageError, ValidationError):
        return None


def delivered_before(files: Mapping[str, File], inputs: set[str], video: ArtifactRef) -> Receipt | None:
    """The receipt of an earlier, complete delivery of exactly these bytes, or None."""
    sizes = {kind: file.size_bytes() for kind, file in files.items()}
    if None in sizes.values():
        return None
    receipt = read_receipt(files["receipt"])
    if receipt is None or {record.sha256 for record in receipt.inputs} != inputs:
        return None
    same = any(record.sha256 == video.sha256 for record in receipt.outputs)
    return receipt if same and sizes["video"] == video.size_bytes else None
