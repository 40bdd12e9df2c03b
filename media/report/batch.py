"""A batch as a page and as Markdown: each dub with its state, its measures, and what went wrong."""

import os
from collections.abc import Sequence
from urllib.parse import quote

from media.report.markdown import plain, table
from media.report.page import templates
from schemas.batch import BatchSummary, ItemReport

COLUMNS = ("dub", "state", "seconds", "real-time factor", "WER", "warnings", "report", "run", "why")


def batch_page(summary: BatchSummary) -> str:
    """Render the page; it links to the dubs' own reports, relative to its folder where they lie in it."""
    rows = [(item, batch_row(item), _link(item, summary.output_dir)) for item in summary.by_urgency]
    page = templates().get_template("batch.html").render(summary=summary, rows=rows)
    return page.encode("utf-8", "replace").decode("utf-8")  # names of files that are not UTF-8


def batch_markdown(summary: BatchSummary) -> str:
    """A headline, and a table of all dubs."""
    rows = [tuple(batch_row(item).values()) for item in summary.by_urgency]
    told = f"Of {plain(summary.source)}, {summary.seconds:.0f} s."
    return f"# {summary.headline}\n\n{told}\n\n{table(COLUMNS, rows)}\n"


def batch_row(item: ItemReport) -> dict[str, str]:
    """An item as a row of text, by COLUMNS."""
    cells: Sequence[str] = (
        item.title,
        item.state,
        _number(item.seconds, 1),
        _number(item.real_time_factor, 1),
        _number(item.wer, 2),
        "; ".join(item.warnings),
        item.report or "",
        (item.run_id or "")[:8],
        item.reason or "",
    )
    return dict(zip(COLUMNS, cells, strict=True))


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _link(item: ItemReport, output_dir: str) -> str | None:
    """The dub's report, from the batch's page on: both are paths, or both URLs of one bucket."""
    return None if item.report is None else "./" + quote(os.path.relpath(item.report, output_dir))
