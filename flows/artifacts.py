"""What the Prefect UI shows of a run: a table of lines, the lips before and after, the receipt."""

import base64
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from uuid import UUID

from PIL import Image
from prefect.artifacts import (
    create_image_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from media.report import receipt_markdown
from schemas.dub import DubResult, LineReport, Receipt
from schemas.settings import Settings
from schemas.stages import Products
from storage.places import open_file
from tasks.stage import LOGGER_NAME as STAGE_LOGGER_NAME

LARGEST_SHEET_PX = 1200


@contextmanager
def shown_progress(stages: int) -> Iterator[None]:
    """Show as a progress bar how many of the run's stages are behind it."""
    artifact = create_progress_artifact(progress=0.0, key="progress", description="Stages of the dub")
    assert isinstance(artifact, UUID), "in a synchronous flow the artifact is there at once"
    handler = _Percent(artifact, stages)
    logger = logging.getLogger(STAGE_LOGGER_NAME)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
    update_progress_artifact(artifact, progress=100.0)


class _Percent(logging.Handler):
    """Raises the bar when a stage is first asked for: all that came before it is done, computed or from the cache."""

    def __init__(self, artifact: UUID, stages: int) -> None:
        super().__init__()
        self._artifact, self._stages = artifact, stages
        self._begun: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        stage = record.__dict__["stage"]
        if record.msg == "asked" and stage not in self._begun:
            self._begun.add(stage)
            done = 100.0 * (len(self._begun) - 1) / self._stages
            update_progress_artifact(self._artifact, progress=min(99.0, done), description=f"Now: {stage}")


def show_lines(made: Products) -> None:
    """Show every line with what was heard and measured."""
    create_table_artifact(table=[_row(line) for line in made.checks.lines], key="lines", description="Lines of the dub")


def _row(line: LineReport) -> dict[str, object]:
    return {
        "line": line.id,
        "speaker": line.speaker,
        "time": f"{line.span.start_s:.2f}-{line.span.end_s:.2f} s",
        "source": line.source_text,
        "target": line.target_text or "(original voice kept)",
        "heard": line.heard_text or "",
        "WER": _rounded(line.wer, 2),
        "onset error": f"{line.onset_error_s * 1000:+.0f} ms" if line.onset_error_s is not None else "",
        "speed": _rounded(line.speed, 2),
        "aperture r": _rounded(line.aperture_r, 2),
    }


def _rounded(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def show_lips(contact_sheet: bytes) -> None:
    """Show faces before and after re-animation; small, since an artifact travels as an event of at most 1.5 MB."""
    small = Image.open(BytesIO(contact_sheet)).convert("RGB")
    small.thumbnail((LARGEST_SHEET_PX, LARGEST_SHEET_PX))
    jpeg = BytesIO()
    small.save(jpeg, "JPEG", quality=85)
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg.getvalue()).decode()}"
    create_image_artifact(image_url=url, key="lips", description="Lips before (above) and after (below)")


def show_receipt(result: DubResult) -> None:
    """Show the receipt as a page."""
    receipt = Receipt.model_validate_json(open_file(result.receipt, Settings()).read())
    create_markdown_artifact(markdown=receipt_markdown(receipt), key="receipt", description="Receipt of the dub")
