"""Tables of the catalogue: what was made, from what, in which run. Bytes lie in the object store, not here."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    MetaData,
    String,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

Sha256Column = String(64)
RunIdColumn = String(64)
LineIdColumn = String(64)


class UtcTime(TypeDecorator[datetime]):
    """An instant in UTC; SQLite forgets the zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Base(DeclarativeBase):
    """Constraints get names from a rule, so that migrations can refer to them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Artefact(Base):
    """One stored object; `kind` says what it is to people (take-audio, receipt, …)."""

    __tablename__ = "artefacts"

    sha256: Mapped[str] = mapped_column(Sha256Column, primary_key=True)
    media_type: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class Lineage(Base):
    """One edge: the child was made from the parent, which played the role."""

    __tablename__ = "lineage"

    child_sha256: Mapped[str] = mapped_column(Sha256Column, ForeignKey("artefacts.sha256"), primary_key=True)
    parent_sha256: Mapped[str] = mapped_column(
        Sha256Column, ForeignKey("artefacts.sha256"), primary_key=True, index=True
    )
    role: Mapped[str] = mapped_column(String(64), primary_key=True)


class Video(Base):
    """A source video: its content address, the name it came under, and its probe result."""

    __tablename__ = "videos"

    sha256: Mapped[str] = mapped_column(Sha256Column, ForeignKey("artefacts.sha256"), primary_key=True)
    name: Mapped[str]
    info: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    artefact: Mapped[Artefact] = relationship(lazy="selectin")


class Run(Base):
    """One dub as it was asked for, and how it ended."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(RunIdColumn, primary_key=True)
    video_sha256: Mapped[str] = mapped_column(Sha256Column, ForeignKey("videos.sha256"), index=True)
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    content_key: Mapped[str | None] = mapped_column(String(80), index=True)
    status: Mapped[str] = mapped_column(String(16))
    error: Mapped[str | None]
    receipt_sha256: Mapped[str | None] = mapped_column(Sha256Column, ForeignKey("artefacts.sha256"))
    seconds: Mapped[float | None] = mapped_column(Double)
    started_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)

    video: Mapped[Video] = relationship(lazy="selectin")
    receipt: Mapped[Artefact | None] = relationship(lazy="selectin")
    lines: Mapped[list["Line"]] = relationship(
        lazy="selectin", order_by="Line.position", cascade="all, delete-orphan", passive_deletes=True
    )


class Line(Base):
    """One line of a run's script."""

    __tablename__ = "lines"

    run_id: Mapped[str] = mapped_column(RunIdColumn, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    line_id: Mapped[str] = mapped_column(LineIdColumn, primary_key=True)
    position: Mapped[int]
    speaker: Mapped[str]
    start_s: Mapped[float] = mapped_column(Double)
    end_s: Mapped[float] = mapped_column(Double)
    source_text: Mapped[str]
    target_text: Mapped[str | None]
    pauses: Mapped[list[list[float]]] = mapped_column(JSON)

    take: Mapped["Take | None"] = relationship(lazy="selectin", cascade="all, delete-orphan", passive_deletes=True)


class Take(Base):
    """The take that a run chose for a line."""

    __tablename__ = "takes"
    __table_args__ = (
        ForeignKeyConstraint(["run_id", "line_id"], ["lines.run_id", "lines.line_id"], ondelete="CASCADE"),
    )

    run_id: Mapped[str] = mapped_column(RunIdColumn, primary_key=True)
    line_id: Mapped[str] = mapped_column(LineIdColumn, primary_key=True)
    audio_sha256: Mapped[str] = mapped_column(Sha256Column, ForeignKey("artefacts.sha256"), index=True)
    motion_sha256: Mapped[str | None] = mapped_column(Sha256Column, ForeignKey("artefacts.sha256"))
    engine: Mapped[str] = mapped_column(String(32))
    seed: Mapped[int]
    duration_s: Mapped[float] = mapped_column(Double)
    speed: Mapped[float] = mapped_column(Double)
    stretch: Mapped[float] = mapped_column(Double)
    overflow_s: Mapped[float] = mapped_column(Double)
    unfit_s: Mapped[float] = mapped_column(Double)
    mode: Mapped[str | None] = mapped_column(String(16))
    mode_reason: Mapped[str | None]
    scores: Mapped[list[dict[str, Any]]] = mapped_column(JSON, server_default=text("'[]'"))

    audio: Mapped[Artefact] = relationship(lazy="selectin", foreign_keys=[audio_sha256])
    motion: Mapped[Artefact | None] = relationship(lazy="selectin", foreign_keys=[motion_sha256])


class Review(Base):
    """What people were asked about a run, and what they answered; no answer yet: it is open."""

    __tablename__ = "reviews"

    run_id: Mapped[str] = mapped_column(RunIdColumn, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(Sha256Column, index=True)
    script_sha256: Mapped[str] = mapped_column(Sha256Column, ForeignKey("artefacts.sha256"))
    transcript_sha256: Mapped[str] = mapped_column(Sha256Column, ForeignKey("artefacts.sha256"))
    duration_s: Mapped[float] = mapped_column(Double)
    page: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(UtcTime)
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    given_at: Mapped[datetime | None] = mapped_column(UtcTime)
    revision_sha256: Mapped[str | None] = mapped_column(Sha256Column, ForeignKey("artefacts.sha256"))

    script: Mapped[Artefact] = relationship(lazy="selectin", foreign_keys=[script_sha256])
    transcript: Mapped[Artefact] = relationship(lazy="selectin", foreign_keys=[transcript_sha256])
    revision: Mapped[Artefact | None] = relationship(lazy="selectin", foreign_keys=[revision_sha256])


class Stage(Base):
    """What one stage of a run took."""

    __tablename__ = "stages"

    run_id: Mapped[str] = mapped_column(RunIdColumn, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    stage: Mapped[str] = mapped_column(String(32), primary_key=True)
    ran: Mapped[int]
    cached: Mapped[int]
    wall_s: Mapped[float] = mapped_column(Double)
    cpu_s: Mapped[float] = mapped_column(Double)
    bytes_in: Mapped[int] = mapped_column(BigInteger)
    bytes_out: Mapped[int] = mapped_column(BigInteger)
    real_time_factor: Mapped[float] = mapped_column(Double)


class RunObject(Base):
    """One object that a run has made or used."""

    __tablename__ = "run_objects"

    run_id: Mapped[str] = mapped_column(RunIdColumn, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    sha256: Mapped[str] = mapped_column(Sha256Column, ForeignKey("artefacts.sha256"), primary_key=True)
