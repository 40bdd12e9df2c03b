"""Prefect's server on PostgreSQL or SQLite, and its workers, as plain processes."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from sqlalchemy import make_url

from examples.topology.process import Service, free_ports

QUIET = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "PREFECT_LOGGING_COLORS": "false"}
ASYNCHRONOUS = {"postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}


@dataclass
class PrefectServer(Service):
    """API, UI and background services; runs, logs and events lie in the database."""

    database_url: str = field(kw_only=True, repr=False)
    port: int = field(default_factory=lambda: free_ports(1)[0])

    @property
    def url(self) -> str:
        """The API, for PREFECT_API_URL."""
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def env(self) -> Mapping[str, str]:
        own = make_url(self.database_url)
        database = own.set(drivername=ASYNCHRONOUS[own.get_backend_name()])
        return {
            **QUIET,
            "PREFECT_HOME": str(self.folder),
            "PREFECT_UI_API_URL": self.url,
            "PREFECT_API_DATABASE_CONNECTION_URL": database.render_as_string(hide_password=False),
            # Leases are kept in files: those of a server that was killed are found again, and given back in time.
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        }

    def command(self) -> list[str]:
        return [*PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(self.port)]

    def is_ready(self) -> bool:
        """Whether the API answers."""
        try:
            return httpx.get(f"{self.url}/health", timeout=2).is_success
        except httpx.HTTPError:
            return False


@dataclass
class Worker(Service):
    """A worker of a process pool; its runs inherit `variables`."""

    api_url: str = field(kw_only=True)
    name: str = field(kw_only=True)
    pool: str = "cpu"
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def env(self) -> Mapping[str, str]:
        return {
            **QUIET,
            "PREFECT_HOME": str(self.folder),
            "PREFECT_API_URL": self.api_url,
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_WORKER_HEARTBEAT_SECONDS": "5",
            **self.variables,
        }

    def command(self) -> list[str]:
        return [*PREFECT, "worker", "start", "--type", "process", "--pool", self.pool, "--name", self.name]

    def is_ready(self) -> bool:
        """Whether the server has heard of it since this start."""
        assert self.process is not None
        answer = httpx.post(f"{self.api_url}/work_pools/{self.pool}/workers/filter", json={}, timeout=5)
        known = answer.json() if answer.is_success else []
        return any(worker["name"] == self.name and worker["status"] == "ONLINE" for worker in known)


PREFECT = (sys.executable, "-m", "prefect", "--no-prompt")
