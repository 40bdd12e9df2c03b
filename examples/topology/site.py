"""A whole installation in one folder: PostgreSQL, S3, Prefect's server, and workers, each with a home of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Self

from sqlalchemy import make_url

from examples.topology.postgres import Postgres, create_database
from examples.topology.prefect import PrefectServer, Worker
from examples.topology.s3 import S3Server

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass
class Site:
    """Started in the order of need, stopped in reverse; workers are added once the pools are there (`jamdub setup`)."""

    folder: Path
    postgres: Postgres = field(init=False)
    s3: S3Server = field(init=False)
    server: PrefectServer = field(init=False)
    workers: dict[str, Worker] = field(default_factory=dict, init=False)
    _running: ExitStack = field(default_factory=ExitStack, init=False, repr=False)

    @property
    def variables(self) -> Mapping[str, str]:
        """What a machine of this installation has in its environment; the secrets are in it."""
        return {
            **self.s3.environment(self.s3.worker),
            "JAMDUB_STORE_URL": f"s3://{self.s3.bucket}/assets",
            "JAMDUB_DATABASE_URL": self.postgres.url,
            "PREFECT_API_URL": self.server.url,
            "HF_HUB_OFFLINE": "1",
        }

    def set_up(self) -> None:
        """Run `jamdub setup`, as an operator does. Raises: CalledProcessError."""
        home = self.folder / "operator"
        own = {"JAMDUB_HOME": str(home / "jamdub"), "PREFECT_HOME": str(home)}
        environment = {**os.environ, **self.variables, **own}
        subprocess.run(
            [sys.executable, "-m", "flows.cli", "setup"],
            cwd=CHECKOUT, env=environment, check=True, capture_output=True, timeout=600,
        )  # fmt: skip

    def add_worker(self, name: str, pool: str = "cpu", others: Mapping[str, str] = MappingProxyType({})) -> Worker:
        """Start a worker; its machine shares nothing with the others but the servers.

        Args:
            others: Variables that its machine has in place of, or besides, the installation's.
        """
        home = self.folder / name
        variables = {**self.variables, "JAMDUB_HOME": str(home / "jamdub"), "PYTHONPATH": str(CHECKOUT), **others}
        worker = Worker(home, api_url=self.server.url, name=name, pool=pool, variables=variables)
        self.workers[name] = self._running.enter_context(worker)
        return worker

    def __enter__(self) -> Self:
        with ExitStack() as running:
            self.folder.chmod(0o755)  # PostgreSQL runs as another user where this runs as root
            self.postgres = running.enter_context(Postgres(self.folder / "postgres"))
            self.s3 = running.enter_context(S3Server(self.folder / "s3"))
            own = make_url(self.postgres.url)
            create_database(own, "prefect")
            url = own.set(database="prefect").render_as_string(hide_password=False)
            self.server = running.enter_context(PrefectServer(self.folder / "server", database_url=url))
            self._running = running.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()
