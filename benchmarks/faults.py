"""What a fault costs: everything is killed once, and a dub goes on. A table for docs/operations.md.

    python benchmarks/faults.py --out DIR [--only NAME]

A whole installation of plain processes (examples.topology): PostgreSQL, S3, Prefect's server, two workers. For each
fault a dub of a fresh clip is started; when the stage is under way, the process is killed by signal 9; servers are
started again after five seconds, a worker is not: the other one goes on. Rows are kept in DIR/faults.jsonl.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import TaskRun
from prefect.settings import PREFECT_API_URL, temporary_settings
from sqlalchemy import text

from examples.make_clip import make_clip
from examples.topology.proxy import Fault, FaultyProxy
from examples.topology.site import Site
from media.tools import find_tools
from schemas.settings import Settings
from storage.engine import make_engine

STAGES = ("separate", "transcribe", "cast", "speak", "mix", "remux", "verify")
AWAY_S = 5.0
LONGEST_S = 900.0
LINES = 1


@dataclass(frozen=True)
class Row:
    """One fault, and what came of it."""

    fault: str
    state: str
    seen: str
    seconds: float
    lost: int
    recomputed: int
    leases: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", action="append")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    kept = asked.out / "faults.jsonl"
    known = {json.loads(line)["fault"] for line in kept.read_text().splitlines()} if kept.is_file() else set()
    to_do = [name for name in (*FAULTS, *NETWORK) if name not in known and (not asked.only or name in asked.only)]
    with tempfile.TemporaryDirectory(prefix="jamdub-faults-") as folder, Site(Path(folder)) as site, _api(site) as api:
        site.set_up()
        clip = Path(folder) / "clip" / "clip.mp4"
        clip.parent.mkdir()
        make_clip(clip, Settings())
        for number, name in enumerate(to_do):
            measure = _measure if name in FAULTS else _measure_network
            row = measure(name, number, clip, site, api)
            with kept.open("a") as file:
                file.write(json.dumps(asdict(row)) + "\n")
            sys.stderr.write(f"{row}\n")
    sys.stdout.write(_table([json.loads(line) for line in kept.read_text().splitlines()]))


@contextmanager
def _api(site: Site) -> Iterator[SyncPrefectClient]:
    with temporary_settings({PREFECT_API_URL: site.server.url}), get_client(sync_client=True) as client:
        yield client


def _measure(name: str, number: int, clip: Path, site: Site, api: SyncPrefectClient) -> Row:
    for worker in ("a", "b"):
        if worker not in site.workers or site.workers[worker].process is None:
            site.add_worker(worker)
    run_id = _start(_fresh(clip, name, number), site, api)
    stage, fault = FAULTS[name]
    _await(lambda: stage in _running(api, run_id), f"{stage} to run")
    started = time.monotonic()
    fault(site)
    return _row(name, run_id, started, site, api)


def _measure_network(name: str, number: int, clip: Path, site: Site, api: SyncPrefectClient) -> Row:
    """A worker of its own that reaches S3 only through a faulty network."""
    for worker in site.workers.values():
        worker.kill()
    with FaultyProxy(site.s3.ports[0]) as proxy:
        proxy.faults.extend(NETWORK[name] * 1000)
        endpoint = {"JAMDUB_S3_ENDPOINT": f"http://127.0.0.1:{proxy.port}"}
        worker = site.add_worker(f"proxied-{number}", others=endpoint)
        started = time.monotonic()
        row = _row(name, _start(_fresh(clip, name, number), site, api), started, site, api)
        worker.kill()
        sys.stderr.write(f"  {proxy.connections} connections\n")
    return row


def _row(name: str, run_id: UUID, started: float, site: Site, api: SyncPrefectClient) -> Row:
    state = _ended(api, run_id)
    seconds = time.monotonic() - started
    tasks = _task_runs(api, run_id)
    spoken = [task for task in tasks if task.name.startswith("speak") and task.state_name == "Completed"]
    states = api.read_flow_run_states(run_id)
    names = [str(own.name) for own in states]
    if state != "Completed":
        names.append(f"“{states[-1].message}”")
    leases = sum(limit.active_slots for limit in api.read_global_concurrency_limits(limit=100, offset=0))
    return Row(name, state, " → ".join(names), round(seconds, 1), _lost(site), max(0, len(spoken) - LINES), leases)


def _fresh(clip: Path, name: str, number: int) -> Path:
    """The clip a little quieter: other content, so that nothing of it is in the cache."""
    own = clip.with_name(f"clip-{number}.mp4")
    level = ["-af", f"volume={0.99 - 0.013 * number:.3f}", "-c:v", "copy", "-metadata", f"title={name}"]
    subprocess.run([find_tools().ffmpeg, "-v", "error", "-y", "-i", clip, *level, own], check=True, timeout=60)
    return own


def _start(video: Path, site: Site, api: SyncPrefectClient) -> UUID:
    script = video.with_name("clip.es.srt")
    client = site.s3.client(site.s3.admin)
    for path in (video, script):
        client.fput_object(site.s3.bucket, f"in/{path.name}", str(path))
    deployment = api.read_deployment_by_name("dub-video/production")
    asked = {
        "video": f"s3://{site.s3.bucket}/in/{video.name}",
        "script": f"s3://{site.s3.bucket}/in/{script.name}",
        "to": "es",
        "source_language": "en",
        "speakers": 1,
        "output_dir": f"s3://{site.s3.bucket}/out/{video.stem}",
    }
    return api.create_flow_run_from_deployment(deployment.id, parameters=asked).id


def _running(api: SyncPrefectClient, run_id: UUID) -> set[str]:
    return {task.name.rpartition("-")[0] for task in _task_runs(api, run_id) if task.state_name != "Pending"}


def _task_runs(api: SyncPrefectClient, run_id: UUID) -> list[TaskRun]:
    return api.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run_id])))


def _ended(api: SyncPrefectClient, run_id: UUID) -> str:
    state = ""

    def is_over() -> bool:
        nonlocal state
        run = api.read_flow_run(run_id)
        state = run.state_name or ""
        return run.state is not None and run.state.is_final() and state != "Crashed"

    _await(is_over, "the run to end")
    return state


def _await(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        try:
            if is_so():
                return
        except Exception as error:  # the server may be the one that was killed
            sys.stderr.write(f"  ({type(error).__name__})\n")
        time.sleep(0.1)
    raise TimeoutError(f"waited {LONGEST_S:.0f} s for {what}")


def _lost(site: Site) -> int:
    """Objects that the catalogue knows and the store has not."""
    engine = make_engine(site.postgres.url)
    with engine.connect() as connection:
        known = {row[0] for row in connection.execute(text("SELECT sha256 FROM artefacts"))}
    engine.dispose()
    stored = site.s3.client(site.s3.admin).list_objects(site.s3.bucket, "assets/sha256/", recursive=True)
    return len(known - {(found.object_name or "").rpartition("/")[2] for found in stored})


def _nothing(_site: Site) -> None:
    """No fault: what all others are compared with."""


def _kill_worker(site: Site) -> None:
    """The worker that has the run, and the run's process: all that `kill -9` of a machine would end."""
    for worker in site.workers.values():
        assert worker.process is not None
        children = _children(worker.process.pid)
        if children:
            os.kill(worker.process.pid, signal.SIGKILL)
            for child in children:
                os.killpg(child, signal.SIGKILL)
            worker.kill()


def _children(parent: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, timeout=10, check=False)
    return [int(pid) for pid in found.stdout.split()]


def _restart(service: str) -> Callable[[Site], None]:
    def fault(site: Site) -> None:
        own = getattr(site, service)
        own.kill()
        time.sleep(AWAY_S)
        own.start()

    return fault


FAULTS: dict[str, tuple[str, Callable[[Site], None]]] = {
    "none": ("speak", _nothing),
    **{f"worker killed in {stage}": (stage, _kill_worker) for stage in STAGES},
    **{
        f"{name} killed in {stage}": (stage, _restart(service))
        for service, name in (("server", "Prefect's server"), ("postgres", "PostgreSQL"), ("s3", "S3 server"))
        for stage in ("transcribe", "speak")
    },
}

NETWORK = {
    "S3: two of three connections are dropped": [Fault(cut_after_bytes=0), Fault(cut_after_bytes=0), Fault()],
    "S3: every connection is cut after 20 kB": [Fault(cut_after_bytes=20_000)],
    "S3: every connection is a second late": [Fault(delay_s=1.0)],
    "S3: two of three requests answered by 503": [Fault(status=503), Fault(status=503), Fault(cut_after_bytes=4000)],
}


def _table(rows: list[dict[str, object]]) -> str:
    head = "| fault | states of the run | s to the end | objects lost | lines recomputed | leases left |"
    lines = [head, "|---" * 6 + "|"]
    for row in rows:
        cells = [row[key] for key in ("fault", "seen", "seconds", "lost", "recomputed", "leases")]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
