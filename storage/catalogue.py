"""The catalogue of runs: schemas go in, schemas come out. Everything written twice is written once."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Self

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, aliased

from schemas.artifact import ArtifactRef
from schemas.dub import DubRequest, Take
from schemas.errors import RequestError, StorageError
from schemas.media import MediaInfo
from schemas.speech import Script
from storage import tables
from storage.engine import connect_patiently, one_line
from storage.rows import line_row, run_view, take_row
from storage.views import LineageEdge, RunStatus, RunView, words_of


class Catalogue:
    """Records and finds runs. One object may serve many threads; each call is one transaction.

    Calls inside `with catalogue.transaction():` are one transaction together, in that thread.
    All calls raise StorageError where the database fails or a row refers to an unknown one.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._open = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """Keep all that is recorded inside, or, where an error leaves it, nothing."""
        with self.session():
            yield self

    def record_video(self, ref: ArtifactRef, info: MediaInfo, name: str) -> None:
        """Record a source video; the newest name stays."""
        with self.session() as session:
            add_artifact(session, ref, "video")
            probe = info.model_dump(mode="json")
            known = session.get(tables.Video, ref.sha256)
            if known is None:
                _insert_once(session, tables.Video(sha256=ref.sha256, name=name, info=probe, created_at=now()))
            else:
                known.name, known.info = name, probe

    def start_run(
        self, run_id: str, video_ref: ArtifactRef, request: DubRequest, content_key: str | None = None
    ) -> None:
        """Record that a run begins, or goes on; its video must be recorded."""
        with self.session() as session:
            run = session.get(tables.Run, run_id)
            if run is None:
                run = tables.Run(id=run_id, started_at=now())
                session.add(run)
            run.video_sha256 = video_ref.sha256
            run.request = request.model_dump(mode="json")
            run.content_key = content_key
            run.status = "running"
            run.error = run.finished_at = run.seconds = run.receipt_sha256 = None

    def finish_run(
        self,
        run_id: str,
        status: RunStatus,
        receipt_ref: ArtifactRef | None,
        error: str | None,
        seconds: float,
    ) -> None:
        """Record how a run ended."""
        with self.session() as session:
            run = known_run(session, run_id)
            if receipt_ref is not None:
                add_artifact(session, receipt_ref, "receipt")
            run.status, run.error, run.seconds, run.finished_at = status, error, seconds, now()
            run.receipt_sha256 = receipt_ref.sha256 if receipt_ref else None

    def record_lines(self, run_id: str, script: Script) -> None:
        """Record the lines of a run: afterwards it has these and no others."""
        with self.session() as session:
            run = known_run(session, run_id)
            kept = {line.id for line in script.lines}
            run.lines = [row for row in run.lines if row.line_id in kept]
            session.flush()
            for position, line in enumerate(script.lines):
                session.merge(line_row(run_id, position, line))

    def record_take(self, run_id: str, line_id: str, take: Take) -> None:
        """Record the take that a run chose for a line, in place of an earlier one."""
        with self.session() as session:
            if session.get(tables.Line, (run_id, line_id)) is None:
                raise StorageError(f"the catalogue has no line {line_id!r} in run {run_id!r}: record its lines first")
            add_artifact(session, take.audio, "take-audio")
            if take.motion is not None:
                add_artifact(session, take.motion, "take-motion")
            session.merge(take_row(run_id, line_id, take))

    def record_artifact(self, ref: ArtifactRef, kind: str) -> None:
        """Record an object; the first kind said of it stays."""
        with self.session() as session:
            add_artifact(session, ref, kind)

    def record_lineage(self, child: ArtifactRef, parents: Sequence[ArtifactRef], role: str) -> None:
        """Record that the child was made from the parents, which played the role."""
        with self.session() as session:
            for ref in (child, *parents):
                add_artifact(session, ref, None)
            for parent in parents:
                edge = tables.Lineage(child_sha256=child.sha256, parent_sha256=parent.sha256, role=role)
                if session.get(tables.Lineage, (child.sha256, parent.sha256, role)) is None:
                    _insert_once(session, edge)

    def show_run(self, run_id: str) -> RunView | None:
        """Find a run by its id or the unique beginning of it.

        Raises: RequestError, where several runs begin so.
        """
        with self.session() as session:
            exact = session.get(tables.Run, run_id)
            if exact is not None:
                return run_view(exact)
            begins_so = select(tables.Run).where(tables.Run.id.startswith(run_id, autoescape=True))
            found = session.scalars(begins_so.order_by(tables.Run.started_at.desc()).limit(5)).all()
            if len(found) > 1:
                raise RequestError(f"run {run_id!r} may be {', '.join(run.id for run in found)}: write more of the id")
            return run_view(found[0]) if found else None

    def list_runs(self, limit: int = 20) -> tuple[RunView, ...]:
        """Return the newest runs, newest first."""
        with self.session() as session:
            newest = select(tables.Run).order_by(tables.Run.started_at.desc(), tables.Run.id).limit(limit)
            return tuple(run_view(run) for run in session.scalars(newest))

    def completed_run(self, content_key: str) -> RunView | None:
        """Find the newest run that made, to its end, what the key stands for."""
        with self.session() as session:
            done = select(tables.Run).where(tables.Run.content_key == content_key, tables.Run.status == "completed")
            run = session.scalars(done.order_by(tables.Run.finished_at.desc()).limit(1)).first()
            return run_view(run) if run is not None else None

    def is_stale(self, run: RunView) -> bool:
        """Say whether a completed run's outputs are older than their script.

        That is so where a later completed run says other words of the same video in the same language.
        """
        later = select(tables.Run).where(
            tables.Run.video_sha256 == run.video.sha256,
            tables.Run.status == "completed",
            tables.Run.started_at > run.started_at,
            tables.Run.request["target_language"].as_string() == run.request.target_language,
        )
        with self.session() as session:
            newest = session.scalars(later.order_by(tables.Run.started_at.desc()).limit(1)).first()
            return run.status == "completed" and newest is not None and words_of(run_view(newest)) != words_of(run)

    def lineage_of(self, sha256: str) -> tuple[LineageEdge, ...]:
        """Return all edges above an object: what it was made from, what that was made from, and so on."""
        with self.session() as session:
            return tuple(_edges_above(session, sha256))

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction, or a part of the one that is open in this thread. Raises: StorageError."""
        joined: Session | None = getattr(self._open, "session", None)
        if joined is not None:
            yield joined
            joined.flush()
            return
        try:
            with connect_patiently(self._engine) as connection, Session(connection) as session, session.begin():
                self._open.session = session
                yield session
        except SQLAlchemyError as error:
            raise StorageError(
                f"the catalogue {self._engine.url!r} failed: {one_line(error)}; run again: nothing is lost"
            ) from error
        finally:
            self._open.session = None


def now() -> datetime:
    return datetime.now(UTC)


def known_run(session: Session, run_id: str) -> tables.Run:
    run = session.get(tables.Run, run_id)
    if run is None:
        raise StorageError(f"the catalogue has no run {run_id!r}: start it before recording anything of it")
    return run


def add_artifact(session: Session, ref: ArtifactRef, kind: str | None) -> None:
    known = session.get(tables.Artefact, ref.sha256)
    if known is None:
        _insert_once(session, tables.Artefact(**ref.model_dump(), kind=kind, created_at=now()))
    elif known.kind is None:
        known.kind = kind
        session.flush()


def _insert_once(session: Session, row: tables.Base) -> None:
    """Insert a row that another process may insert at the same moment: theirs is as good."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        if session.get(type(row), _key(row)) is None:
            raise


def _key(row: tables.Base) -> tuple[object, ...]:
    return tuple(row.__mapper__.primary_key_from_instance(row))


def _edges_above(session: Session, sha256: str) -> Iterator[LineageEdge]:
    start = select(tables.Lineage).where(tables.Lineage.child_sha256 == sha256).cte("above", recursive=True)
    above = start.union(select(tables.Lineage).join(start, tables.Lineage.child_sha256 == start.c.parent_sha256))
    child, parent = aliased(tables.Artefact), aliased(tables.Artefact)
    edges = (
        select(above.c.child_sha256, above.c.parent_sha256, above.c.role, child.kind, parent.kind)
        .join(child, child.sha256 == above.c.child_sha256)
        .join(parent, parent.sha256 == above.c.parent_sha256)
        .order_by(above.c.child_sha256, above.c.role, above.c.parent_sha256)
    )
    for child_sha256, parent_sha256, role, child_kind, parent_kind in session.execute(edges):
        yield LineageEdge(
            child=child_sha256, parent=parent_sha256, role=role, child_kind=child_kind, parent_kind=parent_kind
        )
