"""What may be removed: objects and results of tasks that no kept run needs (docs/adr/0015)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from schemas.artifact import ArtifactRef
from storage import tables
from storage.catalogue import Catalogue, add_artifact, known_run
from storage.stored import StoredObject

_SHA256 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
UNFINISHED = ("running", "waiting")


@dataclass(frozen=True)
class StoredResult:
    """The persisted result of a task: other runs may take it up, and then need the objects that it names."""

    name: str
    written_at: datetime
    objects: frozenset[str]


@dataclass(frozen=True)
class Removal:
    """What goes."""

    results: tuple[StoredResult, ...]
    objects: tuple[StoredObject, ...]

    @property
    def size_bytes(self) -> int:
        return sum(item.size_bytes for item in self.objects)


def plan_removal(
    objects: Iterable[StoredObject],
    results: Iterable[StoredResult],
    roots: Iterable[str],
    parents: Mapping[str, Iterable[str]],
    *,
    before: datetime,
    keep_results: bool,
) -> Removal:
    """Choose what goes: what is old and not reachable from anything that stays.

    Args:
        roots: Objects that kept runs name.
        parents: What each object was made from: needed as long as the object is.
        before: What was put or written since then stays.
        keep_results: While a run is running it may take up any result.
    """
    results = tuple(results)
    old = () if keep_results else tuple(result for result in results if result.written_at < before)
    kept = set(results) - set(old)
    needed = reachable([*roots, *(sha256 for result in kept for sha256 in result.objects)], parents)
    return Removal(old, tuple(item for item in objects if item.put_at < before and item.sha256 not in needed))


def reachable(roots: Iterable[str], parents: Mapping[str, Iterable[str]]) -> set[str]:
    """Return the roots and all their ancestors."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        sha256 = waiting.pop()
        if sha256 not in found:
            found.add(sha256)
            waiting.extend(parents.get(sha256, ()))
    return found


def objects_named_in(text: str) -> frozenset[str]:
    """Return everything in a text that may be the name of an object."""
    return frozenset(_SHA256.findall(text))


def record_objects(catalogue: Catalogue, run_id: str, refs: Iterable[ArtifactRef]) -> None:
    """Record the objects that a run needs for as long as it is kept. Raises: StorageError."""
    with catalogue.session() as session:
        known_run(session, run_id)
        for ref in {ref.sha256: ref for ref in refs}.values():
            add_artifact(session, ref, None)
            session.merge(tables.RunObject(run_id=run_id, sha256=ref.sha256))


def needed_objects(catalogue: Catalogue, since: datetime) -> set[str]:
    """Return the objects of all runs that started since then or are not finished, and the receipts of all runs.

    A run that recorded no objects of its own needs everything that was ever made from its video.

    Raises: StorageError.
    """
    kept = or_(tables.Run.started_at >= since, tables.Run.status.in_(UNFINISHED))
    run_ids = select(tables.Run.id).where(kept)
    unlisted = select(tables.Run.video_sha256).where(kept, tables.Run.id.not_in(select(tables.RunObject.run_id)))
    receipts = select(tables.Run.receipt_sha256)
    with catalogue.session() as session:
        named: list[str | None] = []
        for query in (*_object_queries(run_ids), receipts):
            named.extend(session.scalars(query))
        made = reachable(session.scalars(unlisted), _edges(session, tables.Lineage.parent_sha256))
    return made.union(sha256 for sha256 in named if sha256)


def _object_queries(run_ids: Select[tuple[str]]) -> Iterator[Select[tuple[str | None]]]:
    """Everything that rows of these runs name, in whatever table: one that is added later is not forgotten."""
    for table in tables.Base.metadata.sorted_tables:
        run_id = table.c.get("id" if table.name == tables.Run.__tablename__ else "run_id")
        if run_id is not None:
            named = [column for column in table.c if any(key.column.name == "sha256" for key in column.foreign_keys)]
            yield from (select(column).where(run_id.in_(run_ids)) for column in named)


def parents_of_objects(catalogue: Catalogue) -> dict[str, list[str]]:
    """Return what every object was made from. Raises: StorageError."""
    with catalogue.session() as session:
        return _edges(session, tables.Lineage.child_sha256)


def unfinished_runs(catalogue: Catalogue, since: datetime) -> set[str]:
    """Return the runs that started since then and have not finished. Raises: StorageError."""
    found = select(tables.Run.id).where(tables.Run.status.in_(UNFINISHED), tables.Run.started_at >= since)
    with catalogue.session() as session:
        return set(session.scalars(found))


def _edges(session: Session, start: InstrumentedAttribute[str]) -> dict[str, list[str]]:
    """The lineage as a graph, from child to parents or from parent to children."""
    is_upward = start is tables.Lineage.child_sha256
    end = tables.Lineage.parent_sha256 if is_upward else tables.Lineage.child_sha256
    edges: dict[str, list[str]] = {}
    for one, other in session.execute(select(start, end)):
        edges.setdefault(one, []).append(other)
    return edges
