"""A batch whose dubs are runs of a deployment: a killed batch goes on, a cancelled one stops what it started."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from examples.topology.site import Site
from schemas.batch import BatchSummary

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ROOT = Path(__file__).resolve().parents[2]
LIVE = {"SCHEDULED", "PENDING", "RUNNING", "CANCELLING"}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Catalogue, store and Prefect's server, set up; no worker yet."""
    with tempfile.TemporaryDirectory(prefix="jamdub-") as folder, Site(Path(folder)) as running:
        running.set_up()
        yield running


def machine(site: Site) -> Mapping[str, str]:
    """The environment of one more machine."""
    home = site.folder / "client"
    home.mkdir(exist_ok=True)
    return {**os.environ, **site.variables, "JAMDUB_HOME": str(home / "jamdub"), "PREFECT_HOME": str(home / "prefect")}


def command(arguments: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        arguments, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done


@pytest.fixture(scope="module")
def batch(spoken_clip: Path, site: Site) -> dict[str, Any]:
    """Parameters of a batch of one video into two languages."""
    out = str(site.folder / "out")
    run = {"deployment": "dub-video/production", "at_once": 2, "queue": "batch", "output_dir": out}
    return {"source": str(spoken_clip.parent), "to": ["es", "fr"], "source_language": "en", "speakers": 1, **run}


def started(site: Site, batch: dict[str, Any]) -> subprocess.Popen[bytes]:
    """The batch's flow, in a process of its own."""
    program = "import json, sys; from flows.localize import localize_batch; localize_batch(**json.loads(sys.argv[1]))"
    return subprocess.Popen([sys.executable, "-c", program, json.dumps(batch)], env=machine(site), cwd=ROOT)


def runs(site: Site, flow: str) -> list[dict[str, Any]]:
    found = httpx.post(f"{site.server.url}/flow_runs/filter", json={"flows": {"name": {"any_": [flow]}}}, timeout=30)
    return list(found.raise_for_status().json())


def wait_for(what: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)


def deployed(site: Site, batch: dict[str, Any], **others: Any) -> subprocess.CompletedProcess[str]:
    """`prefect deployment run --watch`, as CI does it."""
    chosen = [f"--param={name}={json.dumps(value)}" for name, value in {**batch, **others}.items()]
    name = "localize-batch/production"
    watching = [sys.executable, "-m", "prefect", "deployment", "run", name, *chosen, "--watch", "--watch-interval=2"]
    return subprocess.run(
        watching, env=machine(site), cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
    )


def test_a_killed_batch_adopts_what_it_had_started(site: Site, batch: dict[str, Any]) -> None:
    killed = started(site, batch)
    try:
        wait_for(lambda: len(runs(site, "dub-video")) == 2, 240)
    finally:
        killed.kill()
        killed.wait(30)
    second = started(site, batch)
    try:
        wait_for(lambda: all(len(batches_of(run)) == 2 for run in runs(site, "dub-video")), 240)
        site.add_worker("one")
        site.add_worker("conductor", pool="conductor")
        assert second.wait(600) == 0
    finally:
        second.kill()
    dubs = runs(site, "dub-video")
    assert [run["state_type"] for run in dubs] == ["COMPLETED"] * 2, "none was doubled"
    assert {run["work_queue_name"] for run in dubs} == {"batch"}
    summary = BatchSummary.model_validate_json((Path(batch["output_dir"]) / "summary.json").read_bytes())
    assert summary.counts == {"completed": 2}
    assert all(item.wer is not None and Path(item.report or "").is_file() for item in summary.items)


def batches_of(run: dict[str, Any]) -> set[str]:
    return {tag for tag in run["tags"] if tag.startswith("batch-")}


def test_a_watched_batch_ends_as_its_dubs_do(site: Site, batch: dict[str, Any], tmp_path: Path) -> None:
    done = deployed(site, batch)
    assert done.returncode == 0, done.stdout + done.stderr
    manifest = tmp_path / "one.csv"
    manifest.write_text(f"video\n{batch['source']}/morning.es.srt\n")
    failed = deployed(site, batch, source=str(manifest))
    assert failed.returncode != 0
    assert len(runs(site, "dub-video")) == 4, "the first was all skipped"


def test_who_cancels_a_batch_cancels_its_dubs(site: Site, batch: dict[str, Any]) -> None:
    known = {run["id"] for run in runs(site, "dub-video")}
    watched = [run["id"] for run in runs(site, "localize-batch")]
    chosen = [f"--param={name}={json.dumps(value)}" for name, value in {**batch, "seed": 5}.items()]
    command([sys.executable, "-m", "prefect", "deployment", "run", "localize-batch/production", *chosen], machine(site))
    mine = next(run["id"] for run in runs(site, "localize-batch") if run["id"] not in watched)

    def dubs() -> list[dict[str, Any]]:
        return [run for run in runs(site, "dub-video") if run["id"] not in known]

    wait_for(lambda: len(dubs()) == 2, 240)
    command([sys.executable, "-m", "prefect", "flow-run", "cancel", mine], machine(site))
    wait_for(lambda: not any(run["state_type"] in LIVE for run in dubs()), 240)
    assert {run["state_type"] for run in dubs()} == {"CANCELLED"}
