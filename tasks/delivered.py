"""Whether a dub that was made before is still there, whole."""

from pathlib import Path

from schemas.dub import Receipt
from schemas.errors import StorageError
from storage.views import RunView
from tasks.deliver import output_paths
from tasks.workplace import Workplace


def receipt_of(run: RunView, place: Workplace) -> Receipt | None:
    """The receipt of a completed run; None where the store has it no more."""
    try:
        return Receipt.model_validate_json(place.store.get_bytes(run.receipt)) if run.receipt is not None else None
    except StorageError:
        return None


def report_path(run: RunView) -> str:
    """Where a completed run's report was delivered."""
    return str(output_paths(run.request, "")["report"])


def missing_file(run: RunView, receipt: Receipt, output_dir: str) -> str | None:
    """What keeps an earlier dub from standing for a new one of this output folder; None: nothing does."""
    folder = Path(run.request.output_dir)
    if not folder.absolute().is_relative_to(Path(output_dir).absolute()):
        return f"it was delivered elsewhere ({folder})"
    sizes: dict[Path, int | None] = {folder / record.name: record.size_bytes for record in receipt.outputs}
    paths = output_paths(run.request, "")
    for path, size_bytes in {**sizes, paths["receipt"]: None, paths["report"]: None}.items():
        if not path.is_file() or size_bytes not in (None, path.stat().st_size):
            return f"{path.name} is not there any more, or was changed"
    return None
