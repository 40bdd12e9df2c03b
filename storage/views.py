"""What the catalogue answers with: frozen values, no tables."""

from datetime import datetime
from typing import Literal

from schemas.artifact import ArtifactRef, Sha256
from schemas.dub import DubRequest, Take
from schemas.speech import Line
from schemas.stages import StageMetrics
from schemas.value import Value

RunStatus = Literal["running", "waiting", "completed", "rejected", "failed"]


class LineView(Value):
    """One line of a run, and the take that was chosen for it."""

    line: Line
    take: Take | None


class RunView(Value):
    """One run as the catalogue knows it."""

    id: str
    status: RunStatus
    video: ArtifactRef
    video_name: str
    duration_s: float
    request: DubRequest
    started_at: datetime
    finished_at: datetime | None
    seconds: float | None
    error: str | None
    receipt: ArtifactRef | None
    lines: tuple[LineView, ...]


def words_of(run: RunView) -> tuple[tuple[str, str | None], ...]:
    """What a run's script says, by line."""
    return tuple((view.line.id, view.line.target_text) for view in run.lines)


class LineageEdge(Value):
    """The child was made from the parent, which played the role."""

    child: Sha256
    parent: Sha256
    role: str
    child_kind: str | None
    parent_kind: str | None


class StageView(Value):
    """What one stage of one run took; the factor is its seconds for a second of video."""

    run_id: str
    started_at: datetime
    metrics: StageMetrics
    real_time_factor: float
