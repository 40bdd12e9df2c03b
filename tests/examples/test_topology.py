"""The services as processes: what was stored is there after `kill -9` and a second start."""

import io
import os
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest
from minio.error import S3Error
from sqlalchemy import make_url

from examples.topology.postgres import Postgres
from examples.topology.process import Service, ServiceFailed, free_ports
from examples.topology.s3 import S3Server


def _connect(url: str) -> psycopg.Connection:
    return psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))


def test_postgres_keeps_what_was_committed(reachable_path: Path) -> None:
    server = Postgres(reachable_path / "server")
    with server:
        with _connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            _connect(server.url)
        server.start()
        with _connect(server.url) as connection:
            assert connection.execute("SELECT number FROM kept").fetchall() == [(7,)]
        with pytest.raises(psycopg.OperationalError, match="password"):
            _connect(server.url.replace(server.password, "wrong"))
    assert server.process is None
    assert server.password not in repr(server)


def test_s3_keeps_what_was_put(tmp_path: Path) -> None:
    server = S3Server(tmp_path / "server")
    with server:
        server.client(server.worker).put_object(server.bucket, "kept", io.BytesIO(b"seven"), 5)
        server.kill()
        server.start()
        assert server.client(server.reader).get_object(server.bucket, "kept").read() == b"seven"
        with pytest.raises(S3Error, match="AccessDenied"):
            server.client(server.reader).put_object(server.bucket, "other", io.BytesIO(b""), 0)
    assert server.admin.secret not in repr(server)
    assert stat.S_IMODE((server.folder / "keys.json").stat().st_mode) == 0o600


class Ending(Service):
    """A program that ends at once."""

    def command(self) -> list[str]:
        return ["sh", "-c", "echo the reason >&2; exit 3"]

    def is_ready(self) -> bool:
        return False


def test_a_service_that_ends_says_why(tmp_path: Path) -> None:
    service = Ending(tmp_path)
    with pytest.raises(ServiceFailed, match=r"ended with 3:\nthe reason"):
        service.start()
    assert service.process is None


class Sleeping(Service):
    """A program with a child."""

    def command(self) -> list[str]:
        return ["sh", "-c", "sleep 300 & echo $! > child; wait"]

    def is_ready(self) -> bool:
        return (self.folder / "child").is_file() and (self.folder / "child").read_text().strip() != ""


def test_children_end_with_their_service(tmp_path: Path) -> None:
    with Sleeping(tmp_path):
        child = int((tmp_path / "child").read_text())
        os.kill(child, 0)
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(child)], capture_output=True, text=True).stdout.strip()
    assert state in ("", "Z")


def test_free_ports_are_different() -> None:
    assert len(set(free_ports(50))) == 50
