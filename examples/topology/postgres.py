"""PostgreSQL 15 as a plain process: password authentication, loopback only, its data in one folder."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from examples.topology.process import Service, ServiceFailed, find_program, free_ports, run_as

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
SUPERUSER = "jamdub"


@dataclass
class Postgres(Service):
    """A cluster with the superuser and the database `jamdub`.

    PostgreSQL refuses to run as root: root hands the folder to the user `postgres`, or else `nobody`, who must be
    able to reach it (a folder of 0700 above it, such as pytest's, is in the way).
    """

    port: int = field(default_factory=lambda: free_ports(1)[0])
    settings: tuple[str, ...] = ()
    """Of the server, as in `postgresql.conf`: fsync=off."""
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the database `jamdub`, with its password."""
        address = URL.create("postgresql+psycopg", SUPERUSER, self.password, "127.0.0.1", self.port, "jamdub")
        return address.render_as_string(hide_password=False)

    @property
    def user(self) -> str | None:
        return _unprivileged_user() if os.geteuid() == 0 else None

    @property
    def stop_signal(self) -> signal.Signals:
        """Fast shutdown: clients are cut off."""
        return signal.SIGINT

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def command(self) -> list[str]:
        settings = (f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *self.settings)
        return [str(postgres_program("postgres")), "-D", str(self._data), *(f"--{item}" for item in settings)]

    def prepare(self) -> None:
        """Make the cluster, once."""
        if (self._data / "PG_VERSION").is_file():
            return
        if self.user is not None:
            shutil.chown(self.folder, self.user)
        shutil.rmtree(self._data, ignore_errors=True)
        secret = self.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        if self.user is not None:
            shutil.chown(secret, self.user)
        done = subprocess.run(
            [postgres_program("initdb"), "-D", self._data, "-U", SUPERUSER, "-A", "scram-sha-256",
             "--pwfile", secret, "-E", "UTF8", "--locale", "C.UTF-8"],
            cwd=self.folder, capture_output=True, text=True, timeout=120, **run_as(self.user),
        )  # fmt: skip
        secret.unlink()
        if done.returncode != 0:
            raise ServiceFailed(f"initdb failed with {done.returncode}: {done.stderr}")

    def is_ready(self) -> bool:
        """Whether the database answers; it is made when it is missing."""
        try:
            create_database(make_url(self.url).set(database="postgres"), "jamdub")
        except psycopg.OperationalError:
            return False
        return True


def postgres_program(name: str) -> Path:
    """Find a program of PostgreSQL. Raises: FileNotFoundError."""
    found = find_program(name, PROGRAMS)
    if found is None:
        raise FileNotFoundError(f"PostgreSQL's {name} is neither on PATH nor in {PROGRAMS}: apt install postgresql")
    return found


def create_database(server: URL, name: str) -> None:
    """Make a database on a server, unless it is there. Raises: psycopg.Error."""
    with _connect(server) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """A new, empty database on a server, by its URL; dropped afterwards. Raises: psycopg.Error."""
    server, name = make_url(server_url), f"test_{secrets.token_hex(6)}"
    create_database(server, name)
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        with _connect(server) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _connect(url: URL) -> psycopg.Connection:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True, connect_timeout=5)


def _unprivileged_user() -> str:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise ServiceFailed("PostgreSQL cannot run as root, and there is neither a user postgres nor nobody")
