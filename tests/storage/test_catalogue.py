"""The catalogue: what is recorded is found again, once, however often it was recorded."""

import hashlib
import multiprocessing

import pytest
from sqlalchemy import func, select

from schemas.artifact import ArtifactRef
from schemas.dub import DubRequest, Take
from schemas.errors import RequestError, StorageError
from schemas.media import MediaInfo, TimeSpan
from schemas.speech import Line, Script
from storage import tables
from storage.catalogue import Catalogue
from storage.engine import make_engine

INFO = MediaInfo(container="mp4", duration_s=20.0, size_bytes=10, video=None, audio=())
REQUEST = DubRequest(video="/films/a film.mp4", target_language="es")


def _ref(name: str, media_type: str = "audio/wav") -> ArtifactRef:
    return ArtifactRef(sha256=hashlib.sha256(name.encode()).hexdigest(), media_type=media_type, size_bytes=5 * 2**30)


VIDEO = _ref("video", "video/mp4")
RECEIPT = _ref("receipt", "application/json")


def _line(line_id: str, start_s: float) -> Line:
    span = TimeSpan(start_s=start_s, end_s=start_s + 0.7)
    pause = TimeSpan(start_s=start_s + 0.1, end_s=start_s + 0.3)
    return Line(id=line_id, speaker="A", span=span, source_text="hello", target_text="hola", pauses=(pause,))


def _take(name: str, with_motion: bool = False) -> Take:
    motion = _ref(f"motion of {name}") if with_motion else None
    numbers = {"duration_s": 0.7, "speed": 1.05, "stretch": 1.0, "overflow_s": 0.1, "unfit_s": 0.0}
    return Take(audio=_ref(f"audio of {name}"), motion=motion, engine="cascade", seed=2**31 - 1, **numbers)


SCRIPT = Script(language="es", lines=(_line("l2", 0.1), _line("l1", 2.0)))


def _record_run(catalogue: Catalogue, run_id: str = "r-1") -> None:
    catalogue.record_video(VIDEO, INFO, "a film.mp4")
    catalogue.start_run(run_id, VIDEO, REQUEST)
    catalogue.record_lines(run_id, SCRIPT)
    catalogue.record_take(run_id, "l2", _take("l2"))
    catalogue.record_take(run_id, "l1", _take("l1", with_motion=True))
    catalogue.record_artifact(RECEIPT, "receipt")
    catalogue.record_lineage(RECEIPT, [VIDEO, _take("l1").audio], "part")
    catalogue.finish_run(run_id, "completed", RECEIPT, None, 12.5)


def _counts(catalogue: Catalogue) -> dict[str, int]:
    with catalogue._engine.connect() as connection:
        every = tables.Base.metadata.sorted_tables
        return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in every}


def test_a_run_comes_back_as_it_was_recorded(catalogue: Catalogue) -> None:
    _record_run(catalogue)
    run = catalogue.show_run("r-1")
    assert run is not None
    assert (run.video, run.video_name, run.request) == (VIDEO, "a film.mp4", REQUEST)
    assert (run.status, run.error, run.seconds, run.receipt) == ("completed", None, 12.5, RECEIPT)
    assert run.finished_at is not None and run.started_at.tzinfo is not None
    assert run.started_at <= run.finished_at
    assert [view.line for view in run.lines] == list(SCRIPT.lines)
    assert [view.take for view in run.lines] == [_take("l2"), _take("l1", with_motion=True)]


def test_a_resumed_run_writes_the_same_rows(catalogue: Catalogue) -> None:
    _record_run(catalogue)
    first, counts = catalogue.show_run("r-1"), _counts(catalogue)
    _record_run(catalogue)
    again = catalogue.show_run("r-1")
    assert first is not None and again is not None
    assert _counts(catalogue) == counts
    assert again.model_copy(update={"finished_at": first.finished_at}) == first


def test_an_edited_script_replaces_the_lines_of_its_run(catalogue: Catalogue) -> None:
    _record_run(catalogue)
    edited = SCRIPT.lines[1].model_copy(update={"target_text": "adiós"})
    catalogue.record_lines("r-1", Script(language="es", lines=(edited, _line("l3", 5.0))))
    run = catalogue.show_run("r-1")
    assert run is not None
    assert [view.line for view in run.lines] == [edited, _line("l3", 5.0)]
    assert [view.take for view in run.lines] == [_take("l1", with_motion=True), None]


def test_a_new_take_replaces_the_old_one(catalogue: Catalogue) -> None:
    _record_run(catalogue)
    catalogue.record_take("r-1", "l1", _take("another"))
    run = catalogue.show_run("r-1")
    assert run is not None
    assert run.lines[1].take == _take("another")


def test_a_failed_run_keeps_its_error_until_it_goes_on(catalogue: Catalogue) -> None:
    _record_run(catalogue)
    catalogue.finish_run("r-1", "failed", None, "no space left", 3.0)
    failed = catalogue.show_run("r-1")
    catalogue.start_run("r-1", VIDEO, REQUEST)
    running = catalogue.show_run("r-1")
    assert failed is not None and running is not None
    assert (failed.status, failed.error, failed.receipt) == ("failed", "no space left", None)
    assert (running.status, running.error, running.started_at) == ("running", None, failed.started_at)


def test_a_run_is_found_by_a_unique_beginning(catalogue: Catalogue) -> None:
    for run_id in ("ab%c1", "ab%c2", "abd"):
        _record_run(catalogue, run_id)
    found = catalogue.show_run("abd")
    assert found is not None and found.id == "abd"
    by_prefix = catalogue.show_run("ab%c1")
    assert by_prefix is not None and by_prefix.id == "ab%c1"
    assert catalogue.show_run("%") is None
    with pytest.raises(RequestError, match="ab%c"):
        catalogue.show_run("ab%")


def test_the_newest_run_is_first(catalogue: Catalogue) -> None:
    for run_id in ("one", "two", "three"):
        _record_run(catalogue, run_id)
    assert [run.id for run in catalogue.list_runs(limit=2)] == ["three", "two"]


def test_lineage_reaches_the_first_ancestors_and_ends_in_a_circle(catalogue: Catalogue) -> None:
    mix, dialogue = _ref("mix"), _ref("dialogue")
    catalogue.record_lineage(mix, [dialogue], "stem")
    catalogue.record_lineage(dialogue, [VIDEO], "source")
    catalogue.record_lineage(dialogue, [mix], "impossible, yet it must end")
    catalogue.record_artifact(mix, "mix")
    edges = catalogue.lineage_of(mix.sha256)
    assert {(edge.child, edge.parent, edge.role) for edge in edges} == {
        (mix.sha256, dialogue.sha256, "stem"),
        (dialogue.sha256, VIDEO.sha256, "source"),
        (dialogue.sha256, mix.sha256, "impossible, yet it must end"),
    }
    assert {edge.child_kind for edge in edges if edge.child == mix.sha256} == {"mix"}
    assert catalogue.lineage_of(VIDEO.sha256) == ()


def test_a_transaction_is_kept_whole_or_not_at_all(catalogue: Catalogue) -> None:
    with pytest.raises(ZeroDivisionError), catalogue.transaction():
        _record_run(catalogue)
        raise ZeroDivisionError
    assert set(_counts(catalogue).values()) == {0}
    with catalogue.transaction() as unit:
        _record_run(unit)
    assert catalogue.show_run("r-1") is not None


@pytest.mark.parametrize("call", ["start", "finish", "lines", "take"])
def test_a_row_of_something_unknown_is_refused(catalogue: Catalogue, call: str) -> None:
    calls = {
        "start": lambda: catalogue.start_run("r-1", VIDEO, REQUEST),
        "finish": lambda: catalogue.finish_run("r-1", "failed", None, "why", 1.0),
        "lines": lambda: catalogue.record_lines("r-1", SCRIPT),
        "take": lambda: catalogue.record_take("r-1", "l1", _take("l1")),
    }
    with pytest.raises(StorageError) as caught:
        calls[call]()
    assert "\n" not in str(caught.value)


def _record_often(url: str, name: str) -> None:
    engine = make_engine(url)
    catalogue = Catalogue(engine)
    for number in range(10):
        catalogue.record_video(VIDEO, INFO, "a film.mp4")
        catalogue.record_lineage(_ref(f"child {number}"), [VIDEO], "source")
        catalogue.start_run(f"{name}-{number}", VIDEO, REQUEST)
    engine.dispose()


@pytest.mark.slow
def test_processes_that_record_the_same_at_once(catalogue: Catalogue) -> None:
    url = catalogue._engine.url.render_as_string(hide_password=False)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_record_often, args=(url, name)) for name in ("a", "b")]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert _counts(catalogue) | {"runs": 20, "lineage": 10, "videos": 1, "artefacts": 11} == _counts(catalogue)


def test_the_newest_completed_run_of_a_content_is_found(catalogue: Catalogue) -> None:
    catalogue.record_video(VIDEO, INFO, "a film.mp4")
    for run_id, key, status in (("a", "k", "completed"), ("b", "k", "completed"), ("c", "k", "failed"), ("d", "x", "")):
        catalogue.start_run(run_id, VIDEO, REQUEST, key)
        if status:
            catalogue.finish_run(run_id, status, None, None, 1.0)  # type: ignore[arg-type]
    found = catalogue.completed_run("k")
    assert found is not None
    assert (found.id, found.duration_s) == ("b", INFO.duration_s)
    assert catalogue.completed_run("x") is None, "it has not ended"
    assert catalogue.completed_run("y") is None


def test_outputs_are_stale_once_a_later_run_says_other_words(catalogue: Catalogue) -> None:
    def finished(run_id: str, script: Script, request: DubRequest = REQUEST) -> None:
        catalogue.start_run(run_id, VIDEO, request)
        catalogue.record_lines(run_id, script)
        catalogue.finish_run(run_id, "completed", None, None, 1.0)

    def stale() -> set[str]:
        return {run.id for run in catalogue.list_runs() if catalogue.is_stale(run)}

    edited = SCRIPT.model_copy(update={"lines": (SCRIPT.lines[0].model_copy(update={"target_text": "buenas"}),)})
    catalogue.record_video(VIDEO, INFO, "a film.mp4")
    finished("first", SCRIPT)
    finished("same words", SCRIPT)
    finished("other language", edited, REQUEST.model_copy(update={"target_language": "fr"}))
    assert stale() == set()
    finished("edited", edited)
    assert stale() == {"first", "same words"}
