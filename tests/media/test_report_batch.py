"""The report of a batch: what failed first, links that work, nothing taken for markup."""

import re
from pathlib import Path

from media.report.batch import batch_markdown, batch_page
from schemas.batch import BatchSummary, ItemReport


def summary(folder: Path, *items: ItemReport) -> BatchSummary:
    return BatchSummary(
        run_id="r-1", source="in", output_dir=str(folder), started_at="2026-01-01", seconds=61.0, items=items
    )


def done(folder: Path, title: str) -> ItemReport:
    report = str(folder / "a 1" / "es" / "a.es.report.html")
    return ItemReport(
        title=title, video="a.mp4", language="es", state="completed", run_id="r-2", seconds=30.0, duration_s=10.0,
        wer=0.125, warnings=("hurried",), report=report,
    )  # fmt: skip


BROKEN = ItemReport(title="b/es", video="b.mp4", language="es", state="failed", reason="<script>alert(1)</script> | x")


def test_a_page_shows_failures_first_and_links_to_reports(tmp_path: Path) -> None:
    page = batch_page(summary(tmp_path, done(tmp_path, "a/es"), BROKEN))
    assert "2 dubs: 1 completed, 1 failed" in page
    assert page.index("b/es") < page.index("a/es")
    assert re.findall(r'href="([^"]+)"', page) == ["./a%201/es/a.es.report.html"]
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert "0.12" in page and "3.0" in page and "hurried" in page


def test_markdown_keeps_every_dub_in_its_row(tmp_path: Path) -> None:
    text = batch_markdown(summary(tmp_path, done(tmp_path, "a/es"), BROKEN))
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    assert len(rows) == 2
    assert "&lt;script" in rows[0] and r"\|" in rows[0]


def test_counts_and_speed_follow_from_the_items(tmp_path: Path) -> None:
    own = summary(tmp_path, done(tmp_path, "a/es"), done(tmp_path, "b/es"), BROKEN)
    assert own.counts == {"completed": 2, "failed": 1}
    assert own.failures == (BROKEN,)
    assert own.items[0].real_time_factor == 3.0
    assert BROKEN.real_time_factor is None
    assert BatchSummary.model_validate_json(own.model_dump_json()) == own
