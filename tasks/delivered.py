"""Whether a dub that was made before is still there, whole."""

from pathlib import PurePath

from schemas.dub import Receipt
from schemas.errors import StorageError
from storage.places import join, open_file
from storage.views import RunView
from tasks.deliver import output_files
from tasks.workplace import Workplace


def receipt_of(run: RunView, place: Workplace) -> Receipt | None:
    """The receipt of a completed run; None where the store has it no more."""
    try:
        return Receipt.model_validate_json(place.store.get_bytes(run.receipt)) if run.receipt is not None else None
    except StorageError:
        return None


def report_place(run: RunView, place: Workplace) -> str:
    """Where a completed run's report was delivered."""
    return output_files(run.request, "", place)["report"].place


def missing_file(run: RunView, receipt: Receipt, output_dir: str, place: Workplace) -> str | None:
    """What keeps an earlier dub from standing for a new one of this output folder; None: nothing does."""
    folder = run.request.output_dir
    if not is_within(folder, output_dir, place):
        return f"it was delivered elsewhere ({folder})"
    sizes: dict[str, int | None] = {join(folder, record.name): record.size_bytes for record in receipt.outputs}
    files = output_files(run.request, "", place)
    for name, size_bytes in {**sizes, files["receipt"].place: None, files["report"].place: None}.items():
        found = open_file(name, place.settings).size_bytes()
        if found is None or size_bytes not in (None, found):
            return f"{PurePath(name).name} is not there any more, or was changed"
    return None


def is_within(folder: str, root: str, place: Workplace) -> bool:
    """Whether a folder, a path or URL, is another one or lies in it."""
    inner, outer = (open_file(join(name, "x"), place.settings).resolved for name in (folder, root))
    return PurePath(inner).parent.is_relative_to(PurePath(outer).parent)
