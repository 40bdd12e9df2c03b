"""Statistics of stages: sums and percentiles of what the runs have recorded."""

from datetime import UTC, datetime

import pytest

from flows.stats import summarise
from schemas.stages import StageMetrics
from storage.views import StageView


def view(run_id: str, stage: str, wall_s: float, ran: int = 1, cached: int = 0) -> StageView:
    metrics = StageMetrics(stage=stage, ran=ran, cached=cached, wall_s=wall_s, cpu_s=1.0, bytes_in=10, bytes_out=5)
    started_at = datetime(2026, 1, 1, tzinfo=UTC)
    return StageView(run_id=run_id, started_at=started_at, metrics=metrics, real_time_factor=wall_s / 10)


def test_stages_are_summed_and_the_longest_is_first() -> None:
    rows = [view(f"r{number}", "speak", float(number), ran=2) for number in range(1, 101)]
    rows += [view("r1", "mix", 2.0), view("r2", "mix", 0.0, ran=0, cached=3)]
    stats = summarise(rows)
    speak, mix = stats.stages
    assert (speak.stage, speak.runs, speak.tasks, speak.cached) == ("speak", 100, 200, 0)
    assert (speak.median_s, speak.p95_s, speak.total_s) == pytest.approx((50.5, 95.05, 5050.0))
    assert (mix.tasks, mix.cached, mix.median_s, mix.total_s) == (1, 3, 2.0, 2.0), "a cache hit took no time"
    assert (stats.runs, stats.total_s, stats.cached_share) == (100, 5052.0, 3 / 204)
    assert stats.median_real_time_factor == pytest.approx(5.05)
    assert (mix.bytes_in, mix.bytes_out) == (20, 10)


def test_no_runs_have_no_time() -> None:
    stats = summarise([])
    assert (stats.runs, stats.stages, stats.total_s, stats.median_real_time_factor) == (0, (), 0.0, 0.0)
