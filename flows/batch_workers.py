"""Carry out a batch's dubs as runs of a deployment: at most so many at once, adopted where they already run."""

import time
from collections import Counter, deque
from collections.abc import Collection, Iterator, Sequence
from typing import Any, cast
from uuid import UUID

import httpx
from prefect import get_run_logger
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run as this_run

from flows.batch_here import Change, error_of
from flows.batch_plan import Planned
from flows.form import fields_of
from schemas.batch import BatchRequest
from schemas.errors import RequestError

POLL_S = 3.0
ATTEMPTS = 2
"""A run whose worker died is started once more; one that failed would fail again."""

CRASH_PATIENCE_S = 120.0
"""A crashed run may be taken up again by itself (flows.automations): only one that is not gets a successor."""

LIVE = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED]


def run_on_workers(items: Sequence[Planned], request: BatchRequest) -> Iterator[Change]:
    """Dub the items; one that fails does not stop the others.

    Raises: RequestError, where there is no such deployment.
    """
    batch, waiting, attempts = batch_tag(this_run.get_id()), deque(items), Counter[str]()
    live: dict[UUID, Planned] = {}
    with get_client(sync_client=True) as client:
        check_deployment(client, str(request.deployment))
        ended = _Ends(client)
        while waiting or live:
            while waiting and len(live) < request.at_once:
                planned = waiting.popleft()
                attempts[planned.item.title] += 1
                live[_adopted(client, planned, batch) or _started(planned, request, batch)] = planned
                yield planned, "running", None
            for run_id, state in ended.among(live):
                planned = live.pop(run_id)
                if state.is_crashed() and attempts[planned.item.title] < ATTEMPTS:
                    waiting.appendleft(planned)
                else:
                    yield (planned, "completed", None) if state.is_completed() else (planned, "failed", error_of(state))


class _Ends:
    """Watches which runs have ended for good."""

    def __init__(self, client: SyncPrefectClient) -> None:
        self._client = client
        self._crashed_since_s: dict[UUID, float] = {}

    def among(self, live: Collection[UUID]) -> list[tuple[UUID, State[Any]]]:
        """Wait a moment, then say which of the runs have ended, and how."""
        time.sleep(POLL_S)
        try:
            runs = self._client.read_flow_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=list(live))))
        except httpx.TransportError as error:  # a server that is silent now may answer later
            get_run_logger().warning("the Prefect server does not answer (%s): waiting for it", error)
            return []
        return [(run.id, run.state) for run in runs if run.state is not None and self._is_over(run.id, run.state)]

    def _is_over(self, run_id: UUID, state: State[Any]) -> bool:
        if not state.is_crashed():
            self._crashed_since_s.pop(run_id, None)
            return state.is_final()
        since_s = self._crashed_since_s.setdefault(run_id, time.monotonic())
        return time.monotonic() - since_s >= CRASH_PATIENCE_S


def check_deployment(client: SyncPrefectClient, name: str) -> None:
    """Raises: RequestError, where the server has no deployment of that name."""
    try:
        client.read_deployment_by_name(name)
    except ObjectNotFound as error:
        raise RequestError(
            f"the Prefect server has no deployment {name!r}: `prefect deployment ls` shows all"
        ) from error


def batch_tag(batch_run_id: str | None) -> str:
    """The tag that all runs of a batch bear."""
    return f"batch-{batch_run_id}"


def cancel_runs_of(batch_run_id: str | None) -> None:
    """Cancel what a batch has started and has not ended."""
    with get_client(sync_client=True) as client:
        for run in _live_runs(client, batch_tag(batch_run_id)):
            client.set_flow_run_state(run.id, State(type=StateType.CANCELLING, message="The batch was cancelled"))


def _adopted(client: SyncPrefectClient, planned: Planned, batch: str) -> UUID | None:
    """A run of the same content that an earlier batch, which was killed, has left at work."""
    found = [] if planned.is_redo else _live_runs(client, str(planned.key))
    if not found:
        return None
    get_run_logger().info("%s is being dubbed already, by run %s", planned.item.title, found[0].id)
    client.update_flow_run(found[0].id, tags=[*found[0].tags, batch])
    return found[0].id


def _live_runs(client: SyncPrefectClient, tag: str) -> list[FlowRun]:
    states = FlowRunFilterState(type=FlowRunFilterStateType(any_=LIVE))
    return client.read_flow_runs(flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=[tag]), state=states))


def _started(planned: Planned, request: BatchRequest, batch: str) -> UUID:
    run = cast(
        FlowRun,
        run_deployment(
            str(request.deployment),
            parameters=fields_of(planned.item.request),
            flow_run_name=planned.item.title,
            tags=[str(planned.key), batch],
            work_queue_name=request.queue,
            job_variables={"env": {"PREFECT_TASKS_REFRESH_CACHE": "true"}} if planned.is_redo else None,
            timeout=0,
        ),
    )
    return run.id
