"""The live display: a bar for each stage of the video at work, and of a batch one for all videos."""

import io
import logging

from rich.console import Console

from flows.live import live_progress
from schemas.progress import BATCH_STAGE, report
from tasks.stage import LOGGER_NAME


def ran(stage: str) -> None:
    for message in ("started", "ran"):
        logging.getLogger(LOGGER_NAME).debug(message, extra={"stage": stage})


def test_each_video_of_a_batch_has_bars_of_its_own() -> None:
    screen = io.StringIO()
    with live_progress(Console(file=screen, width=120)):
        for number, title in enumerate(("one/es", "two/es")):
            report(BATCH_STAGE, number, 2, title)
            for stage in ("ingest", "separate", f"only-{number}"):
                ran(stage)
        report("speak", 1, 3, "Hola.")
    shown = screen.getvalue()
    assert "two/es" in shown and "1/2" in shown
    assert "only-1" in shown and "only-0" not in shown
    assert shown.count("separate") == 1
    assert "1/3" in shown and "Hola." in shown
