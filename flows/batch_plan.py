"""What a batch has to do: each dub by its content, held against what was dubbed before. Nothing is written."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from flows.check import check_request, check_weights
from flows.plan import plan
from models.kokoro.languages import resolve_language
from schemas.batch import BatchRequest, Item, ItemReport
from schemas.dub import Receipt
from schemas.errors import MediaError, RequestError
from storage.catalogue import Catalogue
from storage.places import join
from storage.views import RunView
from tasks.content import dub_key, file_sha256
from tasks.delivered import missing_file, receipt_of, report_place
from tasks.face_models import drawing_cpu_s
from tasks.manifest import absolute, list_items
from tasks.workplace import Workplace

HASH_CHARS = 8
"""Of a video's hash, in the name of its folder: enough to keep the versions of one video apart."""


@dataclass(frozen=True)
class Planned:
    """A dub of a batch, what is to become of it, and the key of its content (None where its files cannot be read)."""

    item: Item
    key: str | None
    report: ItemReport
    is_redo: bool = False

    @property
    def is_to_do(self) -> bool:
        """Whether it is neither done nor known to fail."""
        return self.report.state == "planned"


def plan_batch(request: BatchRequest, place: Workplace, catalogue: Catalogue) -> tuple[Planned, ...]:
    """List the dubs of a batch: those to be redone first, then in the order of the source.

    Raises: RequestError, WeightsError, StorageError: what would fail all of them.
    """
    items = list_items(request, place.settings)
    check_languages(items)
    check_names(request.redo, items)
    redo = {item.title for item in items if {item.name, item.title} & set(request.redo)}
    ordered = sorted(items, key=lambda item: item.title not in redo)
    return tuple(_planned(ordered, redo, request, place, catalogue))


def check_languages(items: Collection[Item]) -> None:
    """Raises: RequestError, where a language of the batch cannot be spoken."""
    for language in dict.fromkeys(item.request.target_language for item in items):
        resolve_language(language)


def check_names(redo: Collection[str], items: Collection[Item]) -> None:
    """Raises: RequestError, where something is to be redone that is not in the batch."""
    known = {name for item in items for name in (item.name, item.title)}
    unknown = [name for name in redo if name not in known]
    if unknown:
        raise RequestError(f"redo {unknown[0]!r}: the batch has no such name; it has {', '.join(sorted(known)[:10])}")


def _planned(
    items: Collection[Item], redo: Collection[str], request: BatchRequest, place: Workplace, catalogue: Catalogue
) -> Iterator[Planned]:
    seen: dict[str, str] = {}
    for item in items:
        try:
            placed, key = _with_content(item, request, place)
        except (RequestError, MediaError) as error:
            yield Planned(item, None, _report(item, "failed", str(error)))
            continue
        twin = seen.setdefault(key, item.title)
        if twin != item.title:
            yield Planned(placed, key, _report(placed, "skipped", f"the same content as {twin}"))
        elif item.title in redo:
            yield Planned(placed, key, _report(placed, "planned", "to be redone"), is_redo=True)
        else:
            yield Planned(placed, key, _held_against(placed, catalogue.completed_run(key), request, place))


def _with_content(item: Item, request: BatchRequest, place: Workplace) -> tuple[Item, str]:
    """An item with its own folder, named by its content, and its key."""
    dub = item.request
    video_sha256 = file_sha256(dub.video, place.settings)
    _, models = check_weights(dub, place)
    folder = join(join(absolute(request.output_dir), f"{item.name}-{video_sha256[:HASH_CHARS]}"), dub.target_language)
    placed = item.model_copy(update={"request": dub.model_copy(update={"output_dir": folder})})
    return placed, dub_key(dub, video_sha256, models, place.settings)


def _held_against(item: Item, run: RunView | None, request: BatchRequest, place: Workplace) -> ItemReport:
    receipt = receipt_of(run, place) if run is not None else None
    if run is None or receipt is None:
        return _report(item, "planned", "not dubbed yet")
    missing = missing_file(run, receipt, request.output_dir, place)
    if missing is not None:
        return _report(item, "planned", f"dubbed before, but {missing}")
    return finished(item, run, receipt, place).model_copy(
        update={"state": "skipped", "reason": f"dubbed before, in run {run.id[:8]}"}
    )


def finished(item: Item, run: RunView, receipt: Receipt, place: Workplace) -> ItemReport:
    """The report of a dub that was made."""
    return _report(item, "completed", None).model_copy(
        update={
            "run_id": run.id,
            "seconds": run.seconds,
            "duration_s": run.duration_s,
            "wer": receipt.measures.wer,
            "warnings": receipt.warnings,
            "report": report_place(run, place),
        }
    )


def _report(item: Item, state: str, reason: str | None) -> ItemReport:
    return ItemReport.model_validate(
        {
            "title": item.title,
            "video": item.request.video,
            "language": item.request.target_language,
            "state": state,
            "reason": reason,
        }
    )


def estimated(planned: Planned, place: Workplace) -> Planned:
    """Check a dub that is to be done as its own run would, and estimate its seconds; what would fail, fails here."""
    if not planned.is_to_do:
        return planned
    request, report = planned.item.request, planned.report
    try:
        checked = check_request(request, place)
    except (RequestError, MediaError) as error:
        return Planned(planned.item, planned.key, report.model_copy(update={"state": "failed", "reason": str(error)}))
    stages = plan(request, checked.info, checked.cues, drawing_cpu_s(checked.faces_by))
    update = {"seconds": sum(stage.seconds for stage in stages), "duration_s": checked.info.duration_s}
    return Planned(planned.item, planned.key, report.model_copy(update=update), planned.is_redo)
