"""Migrations: up, down, the same as the tables, and safe when two processes start together."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, make_url, text

from examples.topology.process import free_ports
from schemas.errors import StorageError
from storage.engine import make_engine, migrate, migration_config
from storage.tables import Base


@pytest.fixture
def url(database_url: str) -> str:
    return database_url


def _table_names(url: str) -> set[str]:
    engine = make_engine(url)
    names = set(inspect(engine).get_table_names()) - {"alembic_version"}
    engine.dispose()
    return names


def test_upgrade_and_downgrade(url: str) -> None:
    migrate(url)
    assert _table_names(url) == set(Base.metadata.tables)
    engine = make_engine(url)
    with engine.begin() as connection:
        command.downgrade(migration_config(connection), "base")
    engine.dispose()
    assert _table_names(url) == set()
    migrate(url)
    assert _table_names(url) == set(Base.metadata.tables)


def test_migrations_make_exactly_the_tables(url: str) -> None:
    migrate(url)
    engine = make_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_a_migration_that_is_cut_off_leaves_the_schema_as_it_was(url: str) -> None:
    engine = make_engine(url)
    with pytest.raises(ZeroDivisionError), engine.begin() as connection:
        command.upgrade(migration_config(connection), "head")
        raise ZeroDivisionError
    engine.dispose()
    assert _table_names(url) == set()


@pytest.mark.slow
def test_processes_that_start_together(url: str) -> None:
    code = "import sys; from storage.engine import migrate; migrate(sys.argv[1])"
    started = [subprocess.Popen([sys.executable, "-c", code, url], stderr=subprocess.PIPE) for _ in range(4)]
    outcomes = [(process.communicate()[1], process.returncode) for process in started]
    assert outcomes == [(b"", 0)] * 4
    assert _table_names(url) == set(Base.metadata.tables)


def test_sqlite_is_prepared(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'catalogue.db'}")
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(text("PRAGMA busy_timeout")) >= 30_000
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "not a url",
        "nosuchdatabase://host/name",
        "mysql://jamdub:secret@host/name",
        "postgresql+nodriver://jamdub:secret@host/name",
        "postgresql://jamdub:secret@host:port/name",
    ],
)
def test_a_url_of_no_database_is_refused(url: str) -> None:
    with pytest.raises(StorageError, match="JAMDUB_DATABASE_URL") as caught:
        make_engine(url)
    assert "secret" not in str(caught.value)


def test_postgresql_is_spoken_by_psycopg(postgres_url: str) -> None:
    plain = postgres_url.replace("postgresql+psycopg://", "postgresql://")
    migrate(plain)
    assert _table_names(plain) == set(Base.metadata.tables)


@pytest.mark.parametrize("wrong", ["password", "database", pytest.param("host", marks=pytest.mark.slow), "option"])
def test_a_server_that_refuses_is_named_without_the_password(postgres_url: str, wrong: str) -> None:
    url = make_url(postgres_url)
    changed = {
        "password": url.set(password="a-wrong-secret"),
        "database": url.set(database="nowhere", password=url.password),
        "host": url.set(port=free_ports(1)[0]),
        "option": url.set(query={"nonsense": "1"}),
    }[wrong]
    began_s = time.monotonic()
    with pytest.raises(StorageError, match="cannot prepare the catalogue") as caught:
        migrate(changed.render_as_string(hide_password=False))
    said = str(caught.value)
    assert "\n" not in said and "a-wrong-secret" not in said and str(url.password) not in said
    assert wrong == "host" or time.monotonic() - began_s < 5, "waiting does not help"


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "video.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(StorageError, match="not a database") as caught:
        migrate(f"sqlite:///{tmp_path / 'video.db'}")
    assert "\n" not in str(caught.value)


def test_a_schema_from_the_future_is_refused(url: str) -> None:
    migrate(url)
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StorageError, match="update it"):
        migrate(url)
