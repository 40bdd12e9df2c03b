"""What the command line prints when it is done."""

from collections.abc import Collection, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from flows.doctor import Check
from flows.plan import START_S, PlannedStage
from schemas.batch import BatchSummary, ItemReport
from schemas.dub import DubResult, Receipt
from schemas.settings import Settings
from storage.places import join, open_file
from storage.views import RunView
from tasks.space import SpaceNeeded


def print_plan(stages: Sequence[PlannedStage], space: SpaceNeeded, console: Console) -> None:
    """Print the stages that would run, their estimated time, and the disk they would take."""
    table = Table("stage", "what", "about s", title="plan: nothing was written")
    for stage in stages:
        table.add_row(stage.name, stage.what, f"{stage.seconds:.0f}")
    console.print(table)
    console.print(f"estimated time: {START_S + sum(stage.seconds for stage in stages):.0f} s on two cores, cold")
    home, working, output = (f"{count / 1e6:,.0f} MB" for count in (space.kept, space.working, space.output))
    console.print(f"estimated disk: {home} kept in home and {working} while it works, {output} delivered")


def print_result(result: DubResult, console: Console) -> None:
    """Print where the deliverables are and the measures that decide."""
    receipt = Receipt.model_validate_json(open_file(result.receipt, Settings()).read())
    measures = receipt.measures
    for warning in result.warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False)
    dubbed = sum(line.status == "dubbed" for line in receipt.lines)
    facts = {
        "lines": f"{dubbed} dubbed, {len(receipt.lines) - dubbed} kept",
        "length": f"{measures.dub_samples} of {measures.source_samples} samples, "
        f"{measures.dub_frames} of {measures.source_frames} frames",
        "words heard back": "not checked" if measures.wer is None else f"WER {measures.wer:.2f}",
        "onset error": _milliseconds(measures.onset_error_mean_s, measures.onset_error_p95_s),
        "loudness": "silent" if measures.integrated_lufs is None else f"{measures.integrated_lufs:.1f} LUFS",
        "tasks": f"{result.tasks_run} run, {result.tasks_cached} from cache",
        "video": result.video,
        "report": result.report,
        "receipt": result.receipt,
        "run": result.run_id,
    }
    for name, value in facts.items():
        console.print(f"{name:>17}  {value}", markup=False, soft_wrap=True)


def _milliseconds(mean_s: float | None, p95_s: float | None) -> str:
    if mean_s is None or p95_s is None:
        return "not measured"
    return f"mean {mean_s * 1000:.0f} ms, p95 {p95_s * 1000:.0f} ms"


def print_batch(summary: BatchSummary, console: Console) -> None:
    """Print what became of every dub, and where the batch's report is."""
    console.print(_batch_table(summary.by_urgency, summary.headline))
    console.print(f"report  {join(summary.output_dir, 'report.html')}", markup=False, soft_wrap=True)


def print_batch_plan(reports: Sequence[ItemReport], console: Console) -> None:
    """Print what would be done, why, and for how long."""
    console.print(_batch_table(reports, "plan: nothing was written"))
    seconds = [report.seconds or 0.0 for report in reports if report.state == "planned"]
    total_s = START_S + sum(seconds) if seconds else 0.0
    console.print(f"{len(seconds)} of {len(reports)} dubs to do, estimated time: {total_s:.0f} s on two cores")


def _batch_table(reports: Sequence[ItemReport], title: str) -> Table:
    columns = (
        "state",
        Column("seconds", justify="right"),
        Column("WER", justify="right"),
        Column("why", overflow="fold"),
    )
    table = Table(Column("dub", overflow="fold"), *columns, title=title)
    for report in reports:
        wer = "" if report.wer is None else f"{report.wer:.2f}"
        seconds = "" if report.seconds is None else f"{report.seconds:.0f}"
        why = "; ".join((*([report.reason] if report.reason else []), *report.warnings))
        table.add_row(escape(report.title), report.state, seconds, wer, escape(why))
    return table


def print_checks(checks: Sequence[Check], console: Console) -> None:
    """Print what is there and what is missing."""
    table = Table("", "what", Column("detail", overflow="fold"))
    for check in checks:
        mark = "ok" if check.is_present else ("MISSING" if check.is_required else "optional")
        table.add_row(mark, check.name, check.detail)
    console.print(table)


def print_runs(runs: Sequence[RunView], stale: Collection[str], console: Console) -> None:
    """Print the last runs, newest first; those in `stale` are older than their script."""
    table = Table("run", "started", "status", "video", "to")
    for run in runs:
        started = run.started_at.isoformat(sep=" ", timespec="seconds")
        status = f"{run.status}, stale" if run.id in stale else run.status
        table.add_row(run.id[:8], started, status, run.video_name, run.request.target_language)
    console.print(table)


def print_run(run: RunView, is_stale: bool, console: Console) -> None:
    """Print one run with its lines."""
    seconds = f" in {run.seconds:.0f} s" if run.seconds is not None else ""
    console.print(
        f"run {run.id}: {run.status}{seconds}; {run.video_name} to {run.request.target_language}", markup=False
    )
    if is_stale:
        console.print("stale: a later run speaks another script of this video", style="yellow")
    if run.error:
        console.print(run.error, style="red", markup=False)
    table = Table("line", "speaker", "time", "text", "speed", "take")
    for view in run.lines:
        line, take = view.line, view.take
        table.add_row(
            line.id,
            line.speaker,
            f"{line.span.start_s:.2f}-{line.span.end_s:.2f}",
            line.target_text or "(original voice kept)",
            f"{take.speed:.2f}" if take else "",
            take.audio.sha256[:12] if take else "",
        )
    console.print(table)
