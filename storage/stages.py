"""What the stages of runs took, in the catalogue."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from schemas.stages import StageMetrics
from storage import tables
from storage.catalogue import Catalogue, known_run
from storage.views import StageView


def record_stages(catalogue: Catalogue, run_id: str, metrics: Sequence[StageMetrics]) -> None:
    """Record what the stages of a run took, in addition to what an earlier part of the same run has recorded.

    Raises: StorageError.
    """
    with catalogue.session() as session:
        duration_s = float(known_run(session, run_id).video.info["duration_s"])
        for new in metrics:
            row = session.get(tables.Stage, (run_id, new.stage))
            earlier = _metrics(row) if row is not None else None
            both = new if earlier is None else _sum(earlier, new)
            factor = both.wall_s / duration_s if duration_s > 0 else 0.0
            session.merge(tables.Stage(run_id=run_id, real_time_factor=factor, **both.model_dump()))


def list_stages(catalogue: Catalogue, last: int | None, since: datetime | None) -> tuple[StageView, ...]:
    """Return the stages of the last so many runs, of those that started since then. Raises: StorageError."""
    runs = select(tables.Run.id).order_by(tables.Run.started_at.desc(), tables.Run.id).limit(last)
    if since is not None:
        runs = runs.where(tables.Run.started_at >= since)
    found = (
        select(tables.Stage, tables.Run.started_at)
        .join(tables.Run, tables.Run.id == tables.Stage.run_id)
        .where(tables.Stage.run_id.in_(runs))
        .order_by(tables.Run.started_at, tables.Stage.run_id, tables.Stage.stage)
    )
    with catalogue.session() as session:
        return tuple(
            StageView(
                run_id=row.run_id,
                started_at=started_at,
                metrics=_metrics(row),
                real_time_factor=row.real_time_factor,
            )
            for row, started_at in session.execute(found)
        )


def _metrics(row: tables.Stage) -> StageMetrics:
    return StageMetrics(**{name: getattr(row, name) for name in StageMetrics.model_fields})


def _sum(one: StageMetrics, other: StageMetrics) -> StageMetrics:
    counted = StageMetrics.model_fields.keys() - {"stage"}
    return one.model_copy(update={name: getattr(one, name) + getattr(other, name) for name in counted})
