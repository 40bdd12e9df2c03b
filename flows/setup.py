"""Make an installation ready: catalogue, store, and what Prefect's server must know. Safe to repeat at any time.

What is there is left as it is where people tune it (pools, queues, limits), and brought up to date where they do
not (results, automations, deployments).
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from httpx import HTTPError
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.settings import PREFECT_API_URL
from prefect.workers.process import ProcessWorker

from flows.automations import AUTOMATIONS
from media.programs import complete
from schemas.errors import RequestError, ToolError
from schemas.settings import Settings
from storage.prepare import prepare_store
from tasks.results import RESULTS, StoredResults
from tasks.workplace import open_catalogue

DEPLOYMENTS = Path(__file__).resolve().parents[1] / "prefect.yaml"
DEPLOY_TIMEOUT_S = 600
POOLS = {
    "cpu": "Dubs and evaluations.",
    "gpu": "Trainings, and dubs by models that want an accelerator.",
    "conductor": "Batches: they start other runs and wait for them, and must not take the places of those.",
}
QUEUES = {"urgent": 1, "normal": 5, "batch": 10}
"""Queues of all pools with their priorities: a worker takes from the lower number first."""
LIMITS = {"gpu": 1}
"""Leases that heavy tasks take on machines that name one (JAMDUB_LEASE), and how many may be held at once."""


@dataclass(frozen=True)
class Done:
    """One thing that setup saw to."""

    what: str
    how: str


def set_up(settings: Settings) -> Iterator[Done]:
    """Do all of it in order, telling each step when it is done.

    Raises: RequestError, where no Prefect server is named; StorageError, ToolError, where a step fails.
    """
    if not PREFECT_API_URL.value():
        raise RequestError("no Prefect server: set PREFECT_API_URL to its API, such as http://prefect:4200/api")
    open_catalogue(settings)
    yield Done("catalogue", "at the newest schema")
    prepare_store(settings)
    yield Done("store", settings.resolved_store_url)
    try:
        with get_client(sync_client=True) as client:
            yield from _pools(client)
            yield from _limits(client)
            yield _results()
            yield from _automations(client)
    except HTTPError as error:
        raise RequestError(f"{PREFECT_API_URL.value()} does not answer as Prefect's API: {error}") from error
    yield from _deployments()


def _pools(client: SyncPrefectClient) -> Iterator[Done]:
    for name, about in POOLS.items():
        template = ProcessWorker.get_default_base_job_template()
        pool = WorkPoolCreate(name=name, description=about, type="process", base_job_template=template)
        try:
            client.create_work_pool(pool)
            yield Done(f"pool {name}", "made")
        except ObjectAlreadyExists:
            yield Done(f"pool {name}", "there")
        for queue, priority in QUEUES.items():
            try:
                client.read_work_queue_by_name(queue, work_pool_name=name)
            except ObjectNotFound:
                client.create_work_queue(queue, priority=priority, work_pool_name=name)
                yield Done(f"queue {name}/{queue}", f"made, priority {priority}")


def _limits(client: SyncPrefectClient) -> Iterator[Done]:
    for name, limit in LIMITS.items():
        try:
            known = client.read_global_concurrency_limit_by_name(name)
            yield Done(f"limit {name}", f"there: {known.limit}")
        except ObjectNotFound:
            client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=limit))
            yield Done(f"limit {name}", f"made: {limit}")


def _results() -> Done:
    StoredResults().save(RESULTS, overwrite=True)
    return Done(f"block {StoredResults.slug()}", "results lie beside the assets, where every worker finds them")


def _automations(client: SyncPrefectClient) -> Iterator[Done]:
    for wanted in AUTOMATIONS:
        known = client.read_automations_by_name(wanted.name)
        if known:
            client.update_automation(known[0].id, wanted)
        else:
            client.create_automation(wanted)
        yield Done(f"automation {wanted.name!r}", "updated" if known else "made")


def _deployments() -> Iterator[Done]:
    deploy = ["-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(DEPLOYMENTS)]
    ended = complete(Path(sys.executable), deploy, timeout_s=DEPLOY_TIMEOUT_S, folder=DEPLOYMENTS.parent)
    if ended.code != 0:
        raise ToolError(f"prefect deploy failed: {' '.join((ended.stderr or ended.stdout.decode()).split())[-500:]}")
    yield Done("deployments", f"as in {DEPLOYMENTS.name}")
