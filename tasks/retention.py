"""Remove what no kept run needs any more, while others may be at work."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import chain

from schemas.errors import ArtifactMissing
from schemas.settings import Settings
from storage.catalogue import Catalogue
from storage.named import FolderValues, NamedValues, open_named
from storage.retention import (
    Removal,
    StoredResult,
    needed_objects,
    objects_named_in,
    parents_of_objects,
    plan_removal,
    unfinished_runs,
)
from tasks.workplace import Workplace

LONGEST_RUN = timedelta(days=30)
"""A run that has not finished for longer was killed and will not go on."""


def remove_unneeded(place: Workplace, catalogue: Catalogue, older_than: timedelta, *, delete: bool) -> Removal:
    """Find what is older than that and needed by no run that is younger, and remove it if that is asked.

    Results of tasks go first, so that no run can take up one whose objects are going; a run that began meanwhile may
    have done so: then the objects stay until the next time.

    Raises: StorageError.
    """
    now = datetime.now(UTC)
    before, since = now - older_than, now - max(older_than, LONGEST_RUN)
    running = unfinished_runs(catalogue, since)
    plan = _plan(place, catalogue, before, keep_results=bool(running))
    if not delete:
        return plan
    for values in _results(place.settings):
        doomed = {result.name for result in plan.results}
        for name, written_at in values.list():
            if name in doomed and written_at < before:
                values.remove(name)
    if unfinished_runs(catalogue, since) - running:
        return Removal(plan.results, ())
    still_needed = needed_objects(catalogue, before)
    gone = (
        item for item in plan.objects if item.sha256 not in still_needed and place.store.remove(item.sha256, before)
    )
    return Removal(plan.results, tuple(gone))


def _plan(place: Workplace, catalogue: Catalogue, before: datetime, *, keep_results: bool) -> Removal:
    # Objects are listed before anything that may need them, so that what appears meanwhile is not among them.
    objects = tuple(place.store.list())
    results = chain.from_iterable(_stored_results(values) for values in _results(place.settings))
    roots, parents = needed_objects(catalogue, before), parents_of_objects(catalogue)
    return plan_removal(objects, results, roots, parents, before=before, keep_results=keep_results)


def _results(settings: Settings) -> tuple[NamedValues, ...]:
    """Results beside the objects, where deployments keep them, and those of the command line on this machine."""
    return open_named(settings, "results"), FolderValues(settings.home / "results")


def _stored_results(values: NamedValues) -> Iterator[StoredResult]:
    for name, written_at in values.list():
        with suppress(ArtifactMissing):  # removed meanwhile
            yield StoredResult(name, written_at, objects_named_in(values.read(name).decode(errors="replace")))
