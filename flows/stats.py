"""Where the time of many runs went: median and 95th percentile of every stage."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from pydantic import Field
from rich.console import Console
from rich.table import Column, Table

from schemas.value import Value
from storage.views import StageView


class StageStats(Value):
    """One stage over many runs; seconds and factors are of the runs in which it ran, not only came from the cache."""

    stage: str
    runs: int
    tasks: int = Field(description="that ran")
    cached: int = Field(description="tasks whose result was there already")
    median_s: float
    p95_s: float
    total_s: float
    cpu_s: float
    bytes_in: int
    bytes_out: int
    median_real_time_factor: float = Field(description="seconds for a second of video")


class Stats(Value):
    """All stages, and all of them together."""

    runs: int
    stages: tuple[StageStats, ...]
    total_s: float
    cached_share: float = Field(description="of all tasks that were asked for, 0 to 1")
    median_real_time_factor: float = Field(description="of whole runs: their stages' seconds for a second of video")


def summarise(rows: Sequence[StageView]) -> Stats:
    """Sum up the stages of runs."""
    by_stage: dict[str, list[StageView]] = defaultdict(list)
    factor_of_run: dict[str, float] = defaultdict(float)
    for row in rows:
        by_stage[row.metrics.stage].append(row)
        factor_of_run[row.run_id] += row.real_time_factor
    stages = tuple(_stage(stage, of_stage) for stage, of_stage in by_stage.items())
    cached, ran = sum(stage.cached for stage in stages), sum(stage.tasks for stage in stages)
    return Stats(
        runs=len(factor_of_run),
        stages=tuple(sorted(stages, key=lambda stage: -stage.total_s)),
        total_s=sum(stage.total_s for stage in stages),
        cached_share=cached / (cached + ran) if cached + ran else 0.0,
        median_real_time_factor=_percentile(list(factor_of_run.values()), 50),
    )


def _stage(stage: str, rows: Sequence[StageView]) -> StageStats:
    ran = [row for row in rows if row.metrics.ran]
    seconds = [row.metrics.wall_s for row in ran]
    return StageStats(
        stage=stage,
        runs=len(rows),
        tasks=sum(row.metrics.ran for row in rows),
        cached=sum(row.metrics.cached for row in rows),
        median_s=_percentile(seconds, 50),
        p95_s=_percentile(seconds, 95),
        total_s=sum(seconds),
        cpu_s=sum(row.metrics.cpu_s for row in rows),
        bytes_in=sum(row.metrics.bytes_in for row in rows),
        bytes_out=sum(row.metrics.bytes_out for row in rows),
        median_real_time_factor=_percentile([row.real_time_factor for row in ran], 50),
    )


def _percentile(values: Sequence[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else 0.0


def print_stats(stats: Stats, console: Console) -> None:
    """Print one row a stage, the longest first."""
    right = (
        Column(name, justify="right") for name in ("tasks", "cached", "median s", "p95 s", "total s", "× real time")
    )
    table = Table("stage", *right, title=f"{stats.runs} runs")
    for stage in stats.stages:
        seconds = (f"{value:.2f}" for value in (stage.median_s, stage.p95_s, stage.total_s))
        factor = f"{stage.median_real_time_factor:.3f}"
        table.add_row(stage.stage, str(stage.tasks), str(stage.cached), *seconds, factor)
    console.print(table)
    console.print(
        f"{stats.total_s:.1f} s in all stages; {stats.median_real_time_factor:.2f} times real time (median run); "
        f"{stats.cached_share:.0%} of the tasks from cache"
    )
