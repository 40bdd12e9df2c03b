"""Retention: whatever a kept run or result can reach stays; and the catalogue knows what every run needs."""

from datetime import UTC, datetime, timedelta
from typing import Literal, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Table, insert

from schemas.artifact import ArtifactRef
from schemas.dub import DubRequest
from schemas.media import MediaInfo
from storage import tables
from storage.catalogue import Catalogue
from storage.retention import (
    StoredResult,
    needed_objects,
    objects_named_in,
    parents_of_objects,
    plan_removal,
    reachable,
    record_objects,
    unfinished_runs,
)
from storage.stored import StoredObject

NOW = datetime(2026, 1, 31, tzinfo=UTC)
BEFORE = NOW - timedelta(days=7)
NAMES = [f"{number:064x}" for number in range(12)]
INFO = MediaInfo(container="mp4", duration_s=20.0, size_bytes=10, video=None, audio=())

Ended = Literal["completed", "failed"] | None
"""How a run ended; None: it runs."""

name = st.sampled_from(NAMES)
time = st.integers(0, 20).map(lambda days: NOW - timedelta(days=days, hours=1))
objects = st.lists(st.builds(StoredObject, name, st.integers(0, 100), time), unique_by=lambda item: item.sha256)
results = st.lists(st.builds(StoredResult, st.uuids().map(str), time, st.frozensets(name, max_size=3)), max_size=6)
parents = st.dictionaries(name, st.lists(name, max_size=3))


def reaches(start: str, end: str, edges: dict[str, list[str]], seen: frozenset[str] = frozenset()) -> bool:
    """Depth first, the other way about than the code."""
    return start == end or any(
        reaches(parent, end, edges, seen | {start}) for parent in edges.get(start, ()) if parent not in seen
    )


@given(objects, results, st.sets(name, max_size=3), parents, st.booleans())
def test_what_is_reachable_is_never_in_the_plan(objects, results, roots, parents, keep_results) -> None:  # type: ignore[no-untyped-def]
    plan = plan_removal(objects, results, roots, parents, before=BEFORE, keep_results=keep_results)
    stays = [result for result in results if result not in plan.results]
    starts = roots | {sha256 for result in stays for sha256 in result.objects}
    for item in plan.objects:
        assert item.put_at < BEFORE
        assert not any(reaches(start, item.sha256, parents) for start in starts)
    for result in plan.results:
        assert result.written_at < BEFORE and not keep_results


@given(objects, results, st.sets(name, max_size=3), parents)
def test_what_is_old_and_unreachable_goes(objects, results, roots, parents) -> None:  # type: ignore[no-untyped-def]
    plan = plan_removal(objects, results, roots, parents, before=BEFORE, keep_results=False)
    fresh = {sha256 for result in results if result.written_at >= BEFORE for sha256 in result.objects}
    for item in objects:
        is_needed = any(reaches(start, item.sha256, parents) for start in roots | fresh)
        assert (item in plan.objects) == (item.put_at < BEFORE and not is_needed)


@given(st.sets(name), parents)
def test_reachability_is_a_closure(roots: set[str], parents: dict[str, list[str]]) -> None:
    found = reachable(roots, parents)
    assert roots <= found == reachable(found, parents)
    assert all(set(parents.get(sha256, ())) <= found for sha256 in found)


def test_names_are_found_in_a_result_as_it_is_persisted() -> None:
    text = f'{{"result": "{{\\"sha256\\": \\"{NAMES[3]}\\"}}", "key": "mix-v1-{NAMES[4]}", "other": "{NAMES[5]}0"}}'
    assert objects_named_in(text) == {NAMES[3], NAMES[4]}


def ref(sha256: str) -> ArtifactRef:
    return ArtifactRef(sha256=sha256, media_type="audio/wav", size_bytes=1)


def record_run(catalogue: Catalogue, run_id: str, video: str, status: Ended, receipt: str | None = None) -> None:
    catalogue.record_video(ref(video), INFO, "talk.mp4")
    catalogue.start_run(run_id, ref(video), DubRequest(video="talk.mp4", target_language="es"))
    if status is not None:
        catalogue.finish_run(run_id, status, ref(receipt) if receipt else None, None, 1.0)


def age(catalogue: Catalogue, run_id: str, started_at: datetime) -> None:
    with catalogue.session() as session:
        run = session.get(tables.Run, run_id)
        assert run is not None
        run.started_at = started_at


@pytest.fixture
def filled(catalogue: Catalogue) -> Catalogue:
    """Runs: `new` and `old` are completed, `dead` runs since long ago, `bare` failed before it made anything."""
    video, new_mix, old_mix, dead_video, bare_video, bare_stem, new_receipt, old_receipt = NAMES[:8]
    record_run(catalogue, "new", video, "completed", new_receipt)
    record_objects(catalogue, "new", [ref(new_mix)])
    record_run(catalogue, "old", video, "completed", old_receipt)
    record_objects(catalogue, "old", [ref(old_mix)])
    record_run(catalogue, "dead", dead_video, None)
    record_run(catalogue, "bare", bare_video, "failed")
    catalogue.record_lineage(ref(bare_stem), [ref(bare_video)], "source")
    catalogue.record_lineage(ref(new_mix), [ref(video), ref(NAMES[8])], "stem")
    for run_id, days in (("new", 1), ("old", 10), ("dead", 40), ("bare", 1)):
        age(catalogue, run_id, NOW - timedelta(days=days))
    return catalogue


def test_kept_runs_name_what_they_need_and_receipts_stay(filled: Catalogue) -> None:
    video, new_mix, old_mix, dead_video, bare_video, bare_stem, new_receipt, old_receipt = NAMES[:8]
    needed = needed_objects(filled, BEFORE)
    assert needed >= {video, new_mix, new_receipt, old_receipt, dead_video, bare_video, bare_stem}
    assert old_mix not in needed
    assert needed_objects(filled, NOW - timedelta(days=20)) >= {old_mix}
    assert reachable([new_mix], parents_of_objects(filled)) == {new_mix, video, NAMES[8]}


def test_a_run_that_never_finished_is_running_only_for_a_while(filled: Catalogue) -> None:
    assert unfinished_runs(filled, NOW - timedelta(days=30)) == set()
    assert unfinished_runs(filled, NOW - timedelta(days=60)) == {"dead"}


def test_every_table_that_names_objects_of_a_run_is_asked(catalogue: Catalogue) -> None:
    """A table that is added later must not be forgotten: each column that names an object protects it."""
    record_run(catalogue, "run", NAMES[0], "completed")
    columns = [
        (table, column)
        for table in tables.Base.metadata.sorted_tables
        if "run_id" in table.c
        for column in table.c
        if any(key.column.name == "sha256" for key in column.foreign_keys)
    ]
    assert {table.name for table, _ in columns} >= {"takes", "run_objects"}
    with catalogue.session() as session:
        for sha256 in NAMES[1:3]:
            session.add(tables.Artefact(**ref(sha256).model_dump(), kind=None, created_at=NOW))
        session.flush()
        line = {"run_id": "run", "line_id": "l", "position": 0, "speaker": "A", "start_s": 0, "end_s": 1,
                "source_text": "", "pauses": []}  # fmt: skip
        session.execute(insert(cast(Table, tables.Line.__table__)), line)
        take = {"run_id": "run", "line_id": "l", "audio_sha256": NAMES[1], "motion_sha256": NAMES[2], "engine": "e",
                "seed": 0, "duration_s": 1, "speed": 1, "stretch": 1, "overflow_s": 0, "unfit_s": 0}  # fmt: skip
        session.execute(insert(cast(Table, tables.Take.__table__)), take)
    assert needed_objects(catalogue, datetime.now(UTC) - timedelta(days=1)) == set(NAMES[:3])
