"""A whole installation, all real processes: what a client starts, a schedule fires and a person stops is dubbed."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.settings import PREFECT_API_URL, temporary_settings

from examples.topology.site import CHECKOUT, Site
from schemas.dub import Receipt

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

LONGEST_S = 600.0


@pytest.fixture(scope="module")
def site(spoken_clip: Path) -> Iterator[Site]:
    """Everything set up, a clip and its script in the bucket, and two workers."""
    with tempfile.TemporaryDirectory(prefix="jamdub-") as folder, Site(Path(folder)) as running:
        running.set_up()
        client = running.s3.client(running.s3.admin)
        for name in ("morning.mp4", "morning.es.srt"):
            client.fput_object(running.s3.bucket, f"in/{name}", str(spoken_clip.parent / name))
        for name in ("one", "two"):
            running.add_worker(name)
        yield running


@pytest.fixture(scope="module")
def api(site: Site) -> Iterator[SyncPrefectClient]:
    with temporary_settings({PREFECT_API_URL: site.server.url}), get_client(sync_client=True) as client:
        yield client


def asked(site: Site, out: str, **others: object) -> dict[str, Any]:
    bucket = f"s3://{site.s3.bucket}"
    files = {
        "video": f"{bucket}/in/morning.mp4",
        "script": f"{bucket}/in/morning.es.srt",
        "output_dir": f"{bucket}/{out}",
    }
    return {**files, "to": "es", "source_language": "en", "speakers": 1, **others}


def client_only(site: Site, folder: Path) -> dict[str, str]:
    """The environment of a machine that knows nothing but the server's address."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
    return {**kept, "PREFECT_API_URL": site.server.url, "PREFECT_HOME": str(folder)}


def operator(site: Site) -> Mapping[str, str]:
    home = site.folder / "operator"
    return {**os.environ, **site.variables, "JAMDUB_HOME": str(home / "jamdub"), "PREFECT_HOME": str(home)}


def delivered(site: Site, out: str) -> Receipt:
    answer = site.s3.client(site.s3.admin).get_object(site.s3.bucket, f"{out}/morning.es.receipt.json")
    try:
        return Receipt.model_validate_json(answer.data)
    finally:
        answer.close()


def wait_for(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LONGEST_S
    while not is_so():
        assert time.monotonic() < deadline, f"waited {LONGEST_S:.0f} s for {what}"
        time.sleep(0.5)


def test_a_machine_with_a_prefect_client_starts_a_dub_and_waits_for_it(site: Site, tmp_path: Path) -> None:
    parameters = [f"--param={name}={json.dumps(value)}" for name, value in asked(site, "first").items()]
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deployment", "run", "dub-video/production", *parameters]
    done = subprocess.run(
        [*command, "--watch"], cwd=tmp_path, env=client_only(site, tmp_path), capture_output=True, text=True,
        timeout=LONGEST_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    receipt = delivered(site, "first")
    assert [line.heard_text for line in receipt.lines] != [None]
    names = site.s3.client(site.s3.admin).list_objects(site.s3.bucket, "first/")
    assert {(found.object_name or "").partition(".")[2] for found in names} == {
        "es.mp4", "es.srt", "es.vtt", "es.receipt.json", "es.report.html",
    }  # fmt: skip


def test_a_review_holds_no_worker_and_goes_on_at_another(site: Site, api: SyncPrefectClient) -> None:
    deployment = api.read_deployment_by_name("dub-video/production")
    run = api.create_flow_run_from_deployment(deployment.id, parameters=asked(site, "reviewed", review=True))

    def is_suspended() -> bool:
        return api.read_flow_run(run.id).state_name == "Suspended"

    def review(*answer: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flows.cli", "review", str(run.id)[:8], *answer]
        return subprocess.run(
            command, cwd=CHECKOUT, env=operator(site), capture_output=True, text=True, timeout=300, check=False
        )

    wait_for(is_suspended, "the script's review")
    first = next(name for name, own in site.workers.items() if f"{run.id}" in own.log.read_text())
    worker = site.workers[first].process
    assert worker is not None
    wait_for(lambda: not children(worker.pid), "the run's process to leave")
    worker.send_signal(signal.SIGKILL)

    assert "Buenos días a todos." in review().stdout
    assert "'L0099' is not in the script" in review("--edit", "L0099: nada").stderr
    edited = review("--edit", "L0001: Buenas tardes a todos.", "--reviewer", "Ana")
    assert edited.returncode == 0, edited.stderr
    wait_for(lambda: is_suspended() and "Dub to be delivered" in review().stdout, "the takes' review")
    assert review("--approve", "--reviewer", "Ben").returncode == 0
    wait_for(lambda: api.read_flow_run(run.id).state_name == "Completed", "the run to end")

    receipt = delivered(site, "reviewed")
    assert [line.target_text for line in receipt.lines] == ["Buenas tardes a todos."]
    assert [(approval.stage, approval.reviewer) for approval in receipt.approvals] == [
        ("script", "Ana"),
        ("takes", "Ben"),
    ]


def children(parent: int) -> list[str]:
    found = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, timeout=10, check=False)
    return found.stdout.split()


def test_a_run_whose_process_dies_goes_on_and_one_that_cannot_begin_ends(site: Site, api: SyncPrefectClient) -> None:
    deployment = api.read_deployment_by_name("dub-video/production")

    def start(seed: int) -> UUID:
        parameters = asked(site, f"killed-{seed}", seed=seed)
        return api.create_flow_run_from_deployment(deployment.id, parameters=parameters).id

    def states(run_id: UUID) -> list[str | None]:
        return [state.name for state in api.read_flow_run_states(run_id)]

    running = start(1)
    wait_for(lambda: "Running" in states(running), "the run to begin")
    os.kill(process_of(running), signal.SIGKILL)
    wait_for(lambda: "Completed" in states(running), "the run to go on")
    assert "AwaitingRetry" in states(running)

    beginning = start(2)
    wait_for(lambda: bool(process_of(beginning)), "the process")
    os.kill(process_of(beginning), signal.SIGKILL)
    wait_for(lambda: "Crashed" in states(beginning), "its worker to notice")
    time.sleep(10)
    assert states(beginning)[-1] == "Crashed", "a broken installation must not be tried for ever"


def process_of(run_id: UUID) -> int:
    """The process that runs it; 0: none."""
    found = subprocess.run(["pgrep", "-f", "prefect.engine"], capture_output=True, text=True, timeout=10, check=False)
    for pid in found.stdout.split():
        with suppress(OSError):
            if str(run_id) in Path(f"/proc/{pid}/environ").read_text():
                return int(pid)
    return 0


def test_a_scheduled_batch_fires_and_finds_what_is_new(site: Site, api: SyncPrefectClient) -> None:
    site.add_worker("conductor", pool="conductor")
    nightly = api.read_deployment_by_name("localize-batch/nightly")
    soon = (IntervalSchedule(interval=timedelta(seconds=30)), True)
    schedule = api.create_deployment_schedules(nightly.id, [soon])[0]

    def fired() -> list[dict[str, Any]]:
        wanted = {"deployments": {"id": {"any_": [str(nightly.id)]}}, "sort": "START_TIME_ASC"}
        runs = httpx.post(f"{site.server.url}/flow_runs/filter", json=wanted, timeout=30).json()
        return [run for run in runs if run["auto_scheduled"] and run["start_time"]]

    wait_for(lambda: bool(fired()), "the schedule to fire")
    api.delete_deployment_schedule(nightly.id, schedule.id)
    wait_for(lambda: any(run["state_type"] in ("COMPLETED", "FAILED", "CRASHED") for run in fired()), "the batch")
    assert {run["state_type"] for run in fired()} & {"COMPLETED"}
    names = site.s3.client(site.s3.admin).list_objects(site.s3.bucket, "out/", recursive=True)
    assert any((found.object_name or "").endswith("/es/morning.es.mp4") for found in names)
