"""Between tables and schemas: each direction in one place."""

from datetime import UTC, datetime

from schemas.artifact import ArtifactRef
from schemas.dub import DubRequest, Take
from schemas.media import TimeSpan
from schemas.review import Answer, Question, Review
from schemas.speech import Line
from storage import tables
from storage.views import LineView, RunView


def line_row(run_id: str, position: int, line: Line) -> tables.Line:
    """Write a line as a row of a run."""
    return tables.Line(
        run_id=run_id,
        line_id=line.id,
        position=position,
        speaker=line.speaker,
        start_s=line.span.start_s,
        end_s=line.span.end_s,
        source_text=line.source_text,
        target_text=line.target_text,
        pauses=[[pause.start_s, pause.end_s] for pause in line.pauses],
    )


def take_row(run_id: str, line_id: str, take: Take) -> tables.Take:
    """Write a take as the row of a line."""
    return tables.Take(
        run_id=run_id,
        line_id=line_id,
        audio_sha256=take.audio.sha256,
        motion_sha256=take.motion.sha256 if take.motion else None,
        **take.model_dump(mode="json", exclude={"audio", "motion"}),
    )


def run_view(row: tables.Run) -> RunView:
    """Read a run with its lines and takes."""
    return RunView.model_validate(
        {
            "id": row.id,
            "status": row.status,
            "video": artifact_ref(row.video.artefact),
            "video_name": row.video.name,
            "duration_s": row.video.info["duration_s"],
            "request": DubRequest.model_validate(row.request),
            "started_at": row.started_at,
            "finished_at": row.finished_at,
            "seconds": row.seconds,
            "error": row.error,
            "receipt": artifact_ref(row.receipt) if row.receipt else None,
            "lines": tuple(_line_view(line) for line in row.lines),
        }
    )


def review_view(row: tables.Review) -> Review:
    """Read a review."""
    question = {
        "stage": row.stage,
        "subject": row.subject,
        "script": artifact_ref(row.script),
        "transcript": artifact_ref(row.transcript),
        "duration_s": row.duration_s,
        "page": row.page,
    }
    return Review(
        run_id=row.run_id,
        question=Question.model_validate(question),
        asked_at=row.asked_at,
        answer=None if row.answer is None else Answer.model_validate(row.answer),
        given_at=row.given_at,
        revision=artifact_ref(row.revision) if row.revision else None,
    )


def review_row(run_id: str, position: int, question: Question) -> tables.Review:
    """Write an open question as a row of a run."""
    return tables.Review(
        run_id=run_id,
        position=position,
        stage=question.stage,
        subject=question.subject,
        script_sha256=question.script.sha256,
        transcript_sha256=question.transcript.sha256,
        duration_s=question.duration_s,
        page=question.page,
        asked_at=datetime.now(UTC),
    )


def artifact_ref(row: tables.Artefact) -> ArtifactRef:
    """Read an object's reference."""
    return ArtifactRef(sha256=row.sha256, media_type=row.media_type, size_bytes=row.size_bytes)


def _line_view(row: tables.Line) -> LineView:
    line = Line(
        id=row.line_id,
        speaker=row.speaker,
        span=TimeSpan(start_s=row.start_s, end_s=row.end_s),
        source_text=row.source_text,
        target_text=row.target_text,
        pauses=tuple(TimeSpan(start_s=start_s, end_s=end_s) for start_s, end_s in row.pauses),
    )
    return LineView(line=line, take=_take(row.take) if row.take else None)


def _take(row: tables.Take) -> Take:
    fields = Take.model_fields.keys() - {"audio", "motion"}
    return Take(
        audio=artifact_ref(row.audio),
        motion=artifact_ref(row.motion) if row.motion else None,
        **{name: getattr(row, name) for name in fields},
    )
