"""Progress of long work, as log records: whoever shows it attaches a handler, nobody else needs to know."""

import logging
from collections.abc import Callable

LOGGER_NAME = "jamdub.progress"

BATCH_STAGE = "dubs"
"""Of a batch: when it advances, the stages begin anew."""

Advance = Callable[[int, int], None]
"""(done, total) of the units of one stage."""


def report(stage: str, done: int, total: int, detail: str = "") -> None:
    """Say that `done` of `total` units of `stage` are finished; `detail` is for people."""
    logging.getLogger(LOGGER_NAME).info(
        "%s %d/%d %s",
        stage,
        done,
        total,
        detail,
        extra={"stage": stage, "done": done, "total": total, "detail": detail},
    )
