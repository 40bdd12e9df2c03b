"""Keep the catalogue true: what ran, from what, into what."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prefect.exceptions import Pause

from schemas.artifact import ArtifactRef, refs_in
from schemas.dub import DubRequest
from schemas.errors import AwaitingReview, Rejected
from schemas.stages import Products, Source
from storage.catalogue import Catalogue
from storage.retention import record_objects
from storage.stages import record_stages
from storage.views import RunStatus
from tasks.stage import StageTimes, collect_stage_times
from tasks.workplace import Workplace, open_catalogue


@dataclass(frozen=True)
class Run:
    """One run that is being recorded."""

    id: str
    catalogue: Catalogue
    times: StageTimes
    source: Source
    started_s: float

    def finish(self, receipt: ArtifactRef) -> None:
        """Mark the run as completed."""
        self.catalogue.finish_run(self.id, "completed", receipt, None, time.monotonic() - self.started_s)


@contextmanager
def recorded_run(run_id: str, request: DubRequest, content_key: str, source: Source, place: Workplace) -> Iterator[Run]:
    """Record a run from its start; a failure is recorded with its message and goes on."""
    catalogue = open_catalogue(place.settings)
    with catalogue.transaction():
        catalogue.record_video(source.video, source.info, source.name)
        catalogue.start_run(run_id, source.video, request, content_key)
    started = time.monotonic()
    with collect_stage_times() as times:
        try:
            yield Run(run_id, catalogue, times, source, started)
        except BaseException as error:
            message = str(error) or type(error).__name__
            catalogue.finish_run(run_id, _ending(error), None, message, time.monotonic() - started)
            raise
        finally:
            record_stages(catalogue, run_id, times.metrics())


def _ending(error: BaseException) -> RunStatus:
    if isinstance(error, Pause | AwaitingReview):
        return "waiting"
    return "rejected" if isinstance(error, Rejected) else "failed"


def record_products(run: Run, made: Products) -> None:
    """Record every artefact of a run and what it was made from."""
    catalogue, video = run.catalogue, run.source.video
    with catalogue.transaction():
        catalogue.record_lines(run.id, made.script)
        record_objects(catalogue, run.id, refs_in(made))
        for ref, kind in ((made.stems.dialogue, "dialogue"), (made.stems.background, "background")):
            catalogue.record_artifact(ref, kind)
            catalogue.record_lineage(ref, [video], "source")
        for item in made.spoken:
            if item.take is not None:
                catalogue.record_take(run.id, item.line.id, item.take)
                catalogue.record_artifact(item.take.audio, "take")
                catalogue.record_lineage(made.sound.audio, [item.take.audio], "take")
        for ref in (patch.video for patch in made.patches or () if patch.video is not None):
            catalogue.record_artifact(ref, "patch")
            catalogue.record_lineage(made.movie.video, [ref], "patch")
        catalogue.record_artifact(made.sound.audio, "mix")
        catalogue.record_lineage(made.sound.audio, [made.stems.background, made.stems.dialogue], "stem")
        catalogue.record_artifact(made.movie.video, "movie")
        catalogue.record_lineage(made.movie.video, [video, made.sound.audio], "source")
