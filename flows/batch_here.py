"""Carry out a batch's dubs in this process, one after another: the models are loaded once."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

from prefect import State
from prefect.settings import PREFECT_TASKS_REFRESH_CACHE, temporary_settings

from flows.batch_plan import Planned
from flows.dub import dub_video
from flows.form import fields_of
from schemas.batch import ItemState
from schemas.progress import BATCH_STAGE, report

Change = tuple[Planned, ItemState, str | None]
"""What became of an item, and the error where it failed."""


def run_here(items: Sequence[Planned]) -> Iterator[Change]:
    """Dub the items; one that fails does not stop the others."""
    for number, planned in enumerate(items):
        report(BATCH_STAGE, number, len(items), planned.item.title)
        yield planned, "running", None
        dub = dub_video.with_options(flow_run_name=planned.item.title)
        with _refreshed() if planned.is_redo else nullcontext():
            state = cast(State[Any], dub(**fields_of(planned.item.request), return_state=True))
        yield (planned, "completed", None) if state.is_completed() else (planned, "failed", error_of(state))
    report(BATCH_STAGE, len(items), len(items))


def error_of(state: State[Any]) -> str:
    """The error of a run that did not complete, in one line."""
    said = (state.message or "").removeprefix("Flow run encountered an exception: ")
    return " ".join(said.split()) or f"the run ended as {state.name}"


def _refreshed() -> AbstractContextManager[Any]:
    return temporary_settings({PREFECT_TASKS_REFRESH_CACHE: True})
