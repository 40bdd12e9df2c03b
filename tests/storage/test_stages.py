"""Stage metrics: found again by run and time, and summed over the parts of a run that was interrupted."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from schemas.artifact import ArtifactRef
from schemas.dub import DubRequest
from schemas.errors import StorageError
from schemas.media import MediaInfo
from schemas.stages import StageMetrics
from storage.catalogue import Catalogue
from storage.stages import list_stages, record_stages

VIDEO = ArtifactRef(sha256=hashlib.sha256(b"video").hexdigest(), media_type="video/mp4", size_bytes=5)
INFO = MediaInfo(container="mp4", duration_s=20.0, size_bytes=10, video=None, audio=())
SPEAK = StageMetrics(stage="speak", ran=3, cached=1, wall_s=40.0, cpu_s=70.0, bytes_in=6 * 2**30, bytes_out=7)
MIX = StageMetrics(stage="mix", ran=0, cached=1, wall_s=0.0, cpu_s=0.0, bytes_in=0, bytes_out=0)


def begin(catalogue: Catalogue, run_id: str) -> None:
    catalogue.record_video(VIDEO, INFO, "talk.mp4")
    catalogue.start_run(run_id, VIDEO, DubRequest(video="talk.mp4", target_language="es"))


def test_stages_come_back_with_their_real_time_factor(catalogue: Catalogue) -> None:
    begin(catalogue, "r-1")
    record_stages(catalogue, "r-1", [SPEAK, MIX])
    views = list_stages(catalogue, None, None)
    assert [(view.metrics, view.real_time_factor) for view in views] == [(MIX, 0.0), (SPEAK, 2.0)]


def test_the_parts_of_an_interrupted_run_are_summed(catalogue: Catalogue) -> None:
    begin(catalogue, "r-1")
    record_stages(catalogue, "r-1", [SPEAK])
    record_stages(catalogue, "r-1", [SPEAK])
    (view,) = list_stages(catalogue, None, None)
    assert (view.metrics.ran, view.metrics.wall_s, view.real_time_factor) == (6, 80.0, 4.0)


def test_the_last_runs_are_chosen(catalogue: Catalogue) -> None:
    for run_id in ("one", "two", "three"):
        begin(catalogue, run_id)
        record_stages(catalogue, run_id, [SPEAK])
    assert {view.run_id for view in list_stages(catalogue, 2, None)} == {"two", "three"}
    now = datetime.now(UTC)
    assert len(list_stages(catalogue, None, now - timedelta(days=1))) == 3
    assert list_stages(catalogue, None, now + timedelta(days=1)) == ()


def test_stages_of_an_unknown_run_are_refused(catalogue: Catalogue) -> None:
    with pytest.raises(StorageError, match="no run"):
        record_stages(catalogue, "r-1", [SPEAK])
