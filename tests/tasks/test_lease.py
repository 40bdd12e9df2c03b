"""The lease of heavy tasks, at a real server: one holder at a time, and none left behind by who was killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.settings import PREFECT_API_URL, temporary_settings

from examples.topology.postgres import fresh_database
from examples.topology.prefect import PrefectServer
from examples.topology.site import CHECKOUT
from tasks.lease import LEASE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HOLD = """
import sys, time
from prefect import flow
from tasks.stage import stage_task

@stage_task("held", version=1, heavy=True)
def hold(mark: str) -> str:
    print("held", flush=True)
    sys.stdin.readline()
    return mark

@flow
def heavy() -> None:
    hold(sys.argv[1])

heavy()
"""


@pytest.fixture(scope="module")
def api(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SyncPrefectClient]:
    """A server that knows the limit `gpu`, of one place."""

    with (
        fresh_database(postgres_server) as url,
        PrefectServer(tmp_path_factory.mktemp("prefect"), database_url=url) as server,
    ):
        with temporary_settings({PREFECT_API_URL: server.url}), get_client(sync_client=True) as client:
            client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name="gpu", limit=1))
            yield client


@pytest.fixture
def start(api: SyncPrefectClient, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start processes that run a heavy task until they are told to go on."""
    running: list[subprocess.Popen[str]] = []

    def begin(mark: str, lease: str = "gpu") -> subprocess.Popen[str]:
        own = {"JAMDUB_LEASE": lease, "JAMDUB_HOME": str(tmp_path), "PREFECT_HOME": str(tmp_path / "prefect"),
               "PREFECT_API_URL": str(api.api_url), "PYTHONPATH": str(CHECKOUT)}  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, mark], env={**os.environ, **own}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def holders(api: SyncPrefectClient) -> int:
    return int(api.read_global_concurrency_limit_by_name("gpu").active_slots)


def await_line(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    for said in process.stdout:
        if said.strip() == line:
            return
    raise AssertionError(f"it never said {line!r}: {process.communicate()[1][-2000:]}")


def test_the_lease_of_a_killed_holder_is_free_again(
    api: SyncPrefectClient, start: Callable[..., subprocess.Popen[str]]
) -> None:
    first = start("first")
    await_line(first, "held")
    assert holders(api) == 1
    second = start("second")
    first.send_signal(signal.SIGKILL)
    began = time.monotonic()
    await_line(second, "held")
    assert time.monotonic() - began < 4 * LEASE_S
    second.communicate("go on\n", timeout=120)
    assert second.returncode == 0
    assert holders(api) == 0


def test_a_limit_that_is_not_there_is_named(start: Callable[..., subprocess.Popen[str]]) -> None:
    lost = start("lost", lease="tpu")
    assert "no limit 'tpu', which JAMDUB_LEASE names" in lost.communicate(timeout=120)[1]
    assert lost.returncode != 0
