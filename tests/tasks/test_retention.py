"""Removing what is not needed: on every backend, and under the feet of runs that are at work."""

import json
import random
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from examples.topology.s3 import S3Server
from schemas.artifact import ArtifactRef
from schemas.dub import DubRequest
from schemas.errors import ArtifactMissing
from schemas.media import MediaInfo
from storage.catalogue import Catalogue
from storage.named import open_named
from storage.objects import open_store
from storage.retention import record_objects
from tasks.retention import remove_unneeded
from tasks.workplace import Workplace, open_catalogue, open_workplace

INFO = MediaInfo(container="mp4", duration_s=20.0, size_bytes=10, video=None, audio=())
REQUEST = DubRequest(video="talk.mp4", target_language="es")
WAV = "audio/wav"


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.setenv("JAMDUB_HOME", str(tmp_path))
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("s3_server")
        for name, value in server.environment(server.worker).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("JAMDUB_STORE_URL", f"s3://{server.bucket}/{tmp_path.name}")
    return open_workplace()


def begin(catalogue: Catalogue, run_id: str, video: ArtifactRef) -> None:
    catalogue.record_video(video, INFO, "talk.mp4")
    catalogue.start_run(run_id, video, REQUEST)


def keep_result(place: Workplace, name: str, ref: ArtifactRef) -> None:
    open_named(place.settings, "results").write(name, json.dumps({"result": ref.model_dump_json()}).encode())


def test_only_what_no_kept_run_needs_goes(place: Workplace) -> None:
    catalogue, store = open_catalogue(place.settings), place.store
    old_video, orphan, old_mix, receipt = (store.put_bytes(name, WAV) for name in (b"v", b"o", b"m", b"r"))
    begin(catalogue, "old", old_video)
    record_objects(catalogue, "old", [old_mix])
    catalogue.finish_run("old", "completed", receipt, None, 1.0)
    keep_result(place, "mix-v1-old", old_mix)
    needed, taken_up = store.put_bytes(b"needed", WAV), store.put_bytes(b"taken up", WAV)
    time.sleep(3)
    begin(catalogue, "new", needed)
    keep_result(place, "mix-v1-new", taken_up)
    young = store.put_bytes(b"young", WAV)

    two_s = timedelta(seconds=2)
    running = remove_unneeded(place, catalogue, two_s, delete=False)
    assert running.results == (), "a run that is running may take up any result"
    assert {item.sha256 for item in running.objects} == {orphan.sha256, old_video.sha256}
    catalogue.finish_run("new", "completed", None, None, 1.0)
    plan = remove_unneeded(place, catalogue, two_s, delete=False)
    assert [result.name for result in plan.results] == ["mix-v1-old"]
    assert {item.sha256 for item in plan.objects} == {ref.sha256 for ref in (orphan, old_video, old_mix)}
    assert plan.size_bytes == 3
    assert all(store.has(ref) for ref in (orphan, old_video, old_mix)), "a dry run removes nothing"

    assert remove_unneeded(place, catalogue, two_s, delete=True).objects == plan.objects
    assert not any(open_store(place.settings).has(ref) for ref in (orphan, old_video, old_mix))
    assert all(store.has(ref) for ref in (receipt, needed, taken_up, young))
    assert [name for name, _ in open_named(place.settings, "results").list()] == ["mix-v1-new"]
    assert remove_unneeded(place, catalogue, two_s, delete=True).objects == ()


@pytest.mark.slow
def test_runs_at_work_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs put objects, take up each other's results and wait, while everything that may go goes, again and again."""
    monkeypatch.setenv("JAMDUB_HOME", str(tmp_path))
    place = open_workplace()
    catalogue, ended, removed, failures = open_catalogue(place.settings), threading.Event(), [], []

    def collect() -> None:
        while not ended.is_set():
            removed.extend(remove_unneeded(place, catalogue, timedelta(seconds=2), delete=True).objects)

    def work(worker: int) -> None:
        choose, results = random.Random(worker), open_named(place.settings, "results")
        try:
            for number in range(6):
                run_id, stage = f"{worker}-{number}", f"mix-v1-{choose.randrange(3)}"
                begin(catalogue, run_id, place.store.put_bytes(b"the video", WAV))
                try:
                    ref = ArtifactRef.model_validate_json(json.loads(results.read(stage))["result"])
                except ArtifactMissing:
                    ref = place.store.put_bytes(stage.encode(), WAV)
                    keep_result(place, stage, ref)
                time.sleep(choose.uniform(0, 5))
                assert place.store.get_bytes(ref) == stage.encode()
                record_objects(catalogue, run_id, [ref])
                catalogue.finish_run(run_id, "completed", None, None, 1.0)
                time.sleep(choose.uniform(0, 5))
        except Exception as error:
            failures.append(error)

    collector = threading.Thread(target=collect)
    workers = [threading.Thread(target=work, args=(worker,)) for worker in range(2)]
    for thread in (collector, *workers):
        thread.start()
    for thread in workers:
        thread.join()
    ended.set()
    collector.join()
    assert failures == []
    assert removed, "something went, or this has shown nothing"
