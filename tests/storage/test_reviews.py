"""Questions and answers: one open question a run, nothing overwritten, and approvals found by content."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.artifact import ArtifactRef
from schemas.dub import DubRequest
from schemas.errors import StorageError
from schemas.media import MediaInfo
from schemas.review import Answer, Question
from storage.catalogue import Catalogue
from storage.engine import make_engine, migrate
from storage.reviews import ReviewBook

INFO = MediaInfo(container="mp4", duration_s=20.0, size_bytes=10, video=None, audio=())


def _ref(name: str) -> ArtifactRef:
    return ArtifactRef(sha256=hashlib.sha256(name.encode()).hexdigest(), media_type="application/json", size_bytes=9)


def _question(name: str, page: str = "page") -> Question:
    return Question(
        stage="script", subject=_ref(name).sha256, script=_ref(f"{name} script"), transcript=_ref("transcript"),
        duration_s=20.0, page=page,
    )  # fmt: skip


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    url = f"sqlite:///{tmp_path / 'catalogue.db'}"
    migrate(url)
    engine = make_engine(url)
    catalogue = Catalogue(engine)
    catalogue.record_video(_ref("video"), INFO, "film.mp4")
    for run_id in ("r-1", "r-2"):
        catalogue.start_run(run_id, _ref("video"), DubRequest(video="film.mp4", target_language="es"))
    yield catalogue
    engine.dispose()


def test_a_question_that_is_put_again_is_one_question(catalogue: Catalogue) -> None:
    book = ReviewBook(catalogue)
    book.ask("r-1", _question("a"))
    book.ask("r-1", _question("a", page="with a remark"))
    asked = book.of_run("r-1")
    assert [review.question.page for review in asked] == ["with a remark"]
    assert book.open_of("r-1") == asked[0]
    assert book.open_of("r-2") is None


def test_answers_stay_and_new_questions_follow(catalogue: Catalogue) -> None:
    book = ReviewBook(catalogue)
    book.ask("r-1", _question("a"))
    answer = Answer(reviewer="Ana", edits="L0001: hola")
    book.answer("r-1", answer, _ref("edited"))
    book.ask("r-1", _question("b"))
    first, second = book.of_run("r-1")
    assert (first.answer, first.revision, second.answer) == (answer, _ref("edited"), None)
    assert first.given_at is not None and first.given_at >= first.asked_at


def test_an_approval_holds_for_the_same_content_in_every_run(catalogue: Catalogue) -> None:
    book = ReviewBook(catalogue)
    assert book.approved(_question("a").subject) is None
    book.ask("r-1", _question("a"))
    book.answer("r-1", Answer(decision="reject", reason="no"), _ref("a script"))
    assert book.approved(_question("a").subject) is None
    book.ask("r-2", _question("a"))
    given_at = datetime(2026, 1, 2, tzinfo=UTC)
    book.answer("r-2", Answer(), _ref("a script"), given_at)
    found = book.approved(_question("a").subject)
    assert found is not None
    assert (found.run_id, found.given_at) == ("r-2", given_at)
    assert book.approved(_question("b").subject) is None


def test_only_runs_that_wait_are_listed(catalogue: Catalogue) -> None:
    book = ReviewBook(catalogue)
    book.ask("r-1", _question("a"))
    book.ask("r-2", _question("b"))
    catalogue.finish_run("r-1", "waiting", None, None, 1.0)
    assert [review.run_id for review in book.all_open()] == ["r-1"]


def test_an_answer_without_a_question_is_refused(catalogue: Catalogue) -> None:
    with pytest.raises(StorageError, match="no open review"):
        ReviewBook(catalogue).answer("r-1", Answer(), _ref("a script"))
