"""The part of the catalogue that holds what people were asked and what they answered."""

from datetime import datetime

from sqlalchemy import Select, func, select

from schemas.artifact import ArtifactRef
from schemas.errors import StorageError
from schemas.review import Answer, Question, Review
from storage import tables
from storage.catalogue import Catalogue, add_artifact, known_run, now
from storage.rows import review_row, review_view


class ReviewBook:
    """Questions of runs. Nothing is overwritten: an answered question stays as it is, and a new one is added."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def ask(self, run_id: str, question: Question) -> None:
        """Put a question; the same one, still open, is not put twice. Raises: StorageError."""
        with self._catalogue.session() as session:
            known_run(session, run_id)
            last = session.scalars(_of(run_id).order_by(tables.Review.position.desc()).limit(1)).first()
            if last is not None and last.answer is None and last.subject == question.subject:
                last.page = question.page
                return
            add_artifact(session, question.script, "script")
            add_artifact(session, question.transcript, "transcript")
            position = session.scalar(select(func.count()).select_from(_of(run_id).subquery())) or 0
            session.add(review_row(run_id, position + 1, question))

    def answer(self, run_id: str, answer: Answer, revision: ArtifactRef, given_at: datetime | None = None) -> None:
        """Keep the answer to a run's open question, and the script that holds since.

        Args:
            given_at: When it was given, if not now.

        Raises: StorageError, where no question of the run is open.
        """
        with self._catalogue.session() as session:
            row = session.scalars(_of(run_id).where(tables.Review.given_at.is_(None))).first()
            if row is None:
                raise StorageError(f"run {run_id} has no open review: it was answered meanwhile")
            add_artifact(session, revision, "script")
            row.answer, row.given_at, row.revision_sha256 = (
                answer.model_dump(mode="json"),
                given_at or now(),
                revision.sha256,
            )

    def open_of(self, run_id: str) -> Review | None:
        """Return a run's open question."""
        with self._catalogue.session() as session:
            row = session.scalars(_of(run_id).where(tables.Review.given_at.is_(None))).first()
            return None if row is None else review_view(row)

    def all_open(self) -> tuple[Review, ...]:
        """Return the open questions of runs that wait, the oldest first."""
        waiting = (
            select(tables.Review)
            .join(tables.Run, tables.Run.id == tables.Review.run_id)
            .where(tables.Run.status == "waiting", tables.Review.given_at.is_(None))
        )
        with self._catalogue.session() as session:
            return tuple(review_view(row) for row in session.scalars(waiting.order_by(tables.Review.asked_at)))

    def approved(self, subject: str) -> Review | None:
        """Return the newest answer about these contents that was no rejection, whichever run asked."""
        answered = select(tables.Review).where(tables.Review.subject == subject, tables.Review.given_at.is_not(None))
        with self._catalogue.session() as session:
            for row in session.scalars(answered.order_by(tables.Review.given_at.desc())):
                review = review_view(row)
                if review.answer is not None and review.answer.decision == "approve":
                    return review
        return None

    def of_run(self, run_id: str) -> tuple[Review, ...]:
        """Return all questions of a run in order."""
        with self._catalogue.session() as session:
            return tuple(review_view(row) for row in session.scalars(_of(run_id).order_by(tables.Review.position)))


def _of(run_id: str) -> Select[tuple[tables.Review]]:
    return select(tables.Review).where(tables.Review.run_id == run_id)
