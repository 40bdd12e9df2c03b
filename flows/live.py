"""The live display of a run on a terminal: one bar for each stage."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from schemas.progress import BATCH_STAGE, LOGGER_NAME
from tasks.stage import LOGGER_NAME as STAGE_LOGGER_NAME


@contextmanager
def live_progress(console: Console) -> Iterator[None]:
    """Show what the pipeline reports while the block runs."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[stage]:<11}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
    )
    with Progress(*columns, console=console, transient=False) as progress:
        handler = _Bars(progress)
        loggers = [logging.getLogger(name) for name in (LOGGER_NAME, STAGE_LOGGER_NAME)]
        for logger in loggers:
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)
            logger.propagate = False
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeHandler(handler)


class _Bars(logging.Handler):
    """Turns progress records into bars; a stage that ends is filled up."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress
        self._bars: dict[str, TaskID] = {}

    def emit(self, record: logging.LogRecord) -> None:
        fields = record.__dict__
        if record.msg == "asked":  # perhaps a cache hit: only what runs gets a bar
            return
        if fields["stage"] == BATCH_STAGE:
            self._begin_anew()
        bar = self._bar(fields["stage"])
        if record.name == LOGGER_NAME:
            total, done = fields["total"], fields["done"]
            self._progress.update(bar, total=total, completed=done, detail=_shortened(fields["detail"]))
        elif record.msg == "ran":
            total = next(task.total for task in self._progress.tasks if task.id == bar) or 1
            self._progress.update(bar, total=total, completed=total, detail="")

    def _begin_anew(self) -> None:
        for stage in self._bars.keys() - {BATCH_STAGE}:
            self._progress.remove_task(self._bars.pop(stage))

    def _bar(self, stage: str) -> TaskID:
        if stage not in self._bars:
            self._bars[stage] = self._progress.add_task(stage, total=None, stage=stage, detail="")
        return self._bars[stage]


def _shortened(text: str, longest: int = 48) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"
