"""Many videos into many languages: what is done is found by its content, the rest is dubbed, one failure stops none."""

from typing import Any

from prefect import Flow, State, flow
from prefect.client.schemas.objects import FlowRun
from prefect.runtime import flow_run as this_run

from flows.automations import refuse_endless_crashes
from flows.batch_board import Board, carry_out, show_plan
from flows.batch_here import run_here
from flows.batch_plan import estimated, plan_batch
from flows.batch_workers import cancel_runs_of, run_on_workers
from flows.form import form
from schemas.batch import BatchRequest, BatchSummary
from schemas.errors import ItemsFailed
from storage.places import prepare_folder
from tasks.workplace import open_catalogue, open_workplace

NAMED_FAILURES = 5


def cancel_runs(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 (Prefect's names)
    """Whoever cancels a batch cancels the dubs that it started."""
    cancel_runs_of(str(flow_run.id))


@flow(name="localize-batch", on_cancellation=[cancel_runs])
@form(BatchRequest)
def localize_batch(request: BatchRequest) -> BatchSummary:
    """Dub many videos into many languages; what was dubbed before, with the same content, is skipped.

    Raises: ItemsFailed, at the end, where some dubs failed: a green run means that everything asked for is there.
    """
    refuse_endless_crashes()
    place = open_workplace()
    catalogue = open_catalogue(place.settings)
    plan = plan_batch(request, place, catalogue)
    if request.dry_run:
        plan = tuple(estimated(planned, place) for planned in plan)
    board = Board(this_run.get_id() or "local", request, plan)
    if request.dry_run:
        show_plan(board.summary)
        return board.summary
    prepare_folder(request.output_dir, place.settings)
    to_do = [planned for planned in plan if planned.is_to_do]
    try:
        carry_out(run_on_workers(to_do, request) if request.deployment else run_here(to_do), board, catalogue, place)
    except KeyboardInterrupt:
        cancel_runs_of(this_run.get_id())
        raise
    refuse_failures(board.summary)
    return board.summary


def refuse_failures(summary: BatchSummary) -> None:
    """Raises: ItemsFailed, which names the first that failed, and why."""
    failed = summary.failures
    if failed:
        named = "; ".join(f"{item.title}: {item.reason}" for item in failed[:NAMED_FAILURES])
        more = f"; and {len(failed) - NAMED_FAILURES} more" if len(failed) > NAMED_FAILURES else ""
        raise ItemsFailed(
            f"{len(failed)} of {len(summary.items)} dubs failed, the others are delivered in {summary.output_dir}: "
            f"{named}{more}"
        )
