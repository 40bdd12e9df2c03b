"""A batch as it stands, kept where people look: artifacts in Prefect's UI, `summary.json` and `report.html` on disk."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactUpdate

from flows.batch_here import Change
from flows.batch_plan import Planned, finished
from media.report.batch import batch_markdown, batch_page, batch_row
from schemas.batch import BatchRequest, BatchSummary, ItemReport
from schemas.settings import Settings
from storage.catalogue import Catalogue
from storage.places import join, open_file
from tasks.delivered import receipt_of
from tasks.workplace import Workplace

EVERY_S = 10.0
"""Between two updates: a table of hundreds of rows travels whole."""

MOST_ROWS = 1000
"""In an artifact, which travels as an event of at most 1.5 MB; the files on disk have all."""


class Board:
    """The reports of all items by title, and since when they are worked at."""

    def __init__(self, run_id: str, request: BatchRequest, plan: Iterable[Planned]) -> None:
        self._run_id, self._request = run_id, request
        self._reports = {planned.item.title: planned.report for planned in plan}
        self._started, self._started_at = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")

    def put(self, report: ItemReport) -> None:
        """Replace the report of an item."""
        self._reports[report.title] = report

    @property
    def summary(self) -> BatchSummary:
        """The batch as it stands now."""
        return BatchSummary(
            run_id=self._run_id,
            source=self._request.source,
            output_dir=self._request.output_dir,
            started_at=self._started_at,
            seconds=round(time.monotonic() - self._started, 2),
            items=tuple(self._reports.values()),
        )


def carry_out(changes: Iterable[Change], board: Board, catalogue: Catalogue, place: Workplace) -> None:
    """Follow the dubs, and show how far they are."""
    with shown(board, place.settings) as show:
        for planned, state, error in changes:
            report = planned.report.model_copy(update={"state": state, "reason": error})
            if state == "completed":
                report = _with_measures(planned, report, catalogue, place)
            board.put(report)
            show()


def _with_measures(planned: Planned, report: ItemReport, catalogue: Catalogue, place: Workplace) -> ItemReport:
    run = catalogue.completed_run(str(planned.key))
    receipt = receipt_of(run, place) if run is not None else None
    return report if run is None or receipt is None else finished(planned.item, run, receipt, place)


@contextmanager
def shown(board: Board, settings: Settings) -> Iterator["Show"]:
    """Keep everything that shows the batch true to the board, and at the end add a page to the run."""
    show = Show(board, settings)
    try:
        yield show
    finally:
        show.now()
    create_markdown_artifact(batch_markdown(board.summary), key="batch-report", description="Report of the batch")


class Show:
    """The artifacts and files of one batch; a call brings them up to date, unless that was done just before."""

    def __init__(self, board: Board, settings: Settings) -> None:
        self._settings = settings
        self._board, self._shown_s = board, time.monotonic()
        summary = board.summary
        self._table = _id(create_table_artifact(_rows(summary), key="batch-items", description=summary.headline))
        self._progress = _id(create_progress_artifact(_percent(summary), key="batch", description=summary.headline))
        write_files(summary, self._settings)

    def __call__(self) -> None:
        """Update, but not all the time."""
        if time.monotonic() - self._shown_s >= EVERY_S:
            self.now()

    def now(self) -> None:
        """Update."""
        summary, self._shown_s = self._board.summary, time.monotonic()
        write_files(summary, self._settings)
        update_progress_artifact(self._progress, _percent(summary), description=summary.headline)
        with get_client(sync_client=True) as client:
            table = ArtifactUpdate(data=json.dumps(_rows(summary)), description=summary.headline)
            client.update_artifact(self._table, table)


def show_plan(summary: BatchSummary) -> None:
    """Show what a dry run found."""
    create_table_artifact(_rows(summary), key="batch-items", description=f"dry run: {summary.headline}")


def write_files(summary: BatchSummary, settings: Settings) -> None:
    """Write summary and report into the batch's output folder. Raises: StorageError."""
    for name, text in (("summary.json", summary.model_dump_json(indent=1)), ("report.html", batch_page(summary))):
        open_file(join(summary.output_dir, name), settings).write(text.encode())


def _rows(summary: BatchSummary) -> list[dict[str, str]]:
    return [batch_row(item) for item in summary.by_urgency[:MOST_ROWS]]


def _percent(summary: BatchSummary) -> float:
    ended = sum(summary.counts.get(state, 0) for state in ("completed", "skipped", "failed"))
    return 100.0 * ended / len(summary.items)


def _id(artifact: object) -> UUID:
    assert isinstance(artifact, UUID), "in a synchronous flow the artifact is there at once"
    return artifact
