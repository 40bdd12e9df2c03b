"""Migrations: up, down, the same as the tables, and safe when two processes start together."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from schemas.errors import StorageError
from storage.engine import make_engine, migrate, migration_config
from storage.tables import Base


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'a folder' / 'catalogue.db'}"


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


def test_processes_that_start_together(url: str) -> None:
    code = "import sys; from storage.engine import migrate; migrate(sys.argv[1])"
    started = [subprocess.Popen([sys.executable, "-c", code, url], stderr=subprocess.PIPE) for _ in range(4)]
    outcomes = [(process.communicate()[1], process.returncode) for process in started]
    assert outcomes == [(b"", 0)] * 4
    assert _table_names(url) == set(Base.metadata.tables)


def test_sqlite_is_prepared(url: str) -> None:
    engine = make_engine(url)
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(text("PRAGMA busy_timeout")) >= 30_000
    engine.dispose()


@pytest.mark.parametrize("url", ["not a url", "nosuchdatabase://host/name"])
def test_a_url_of_no_database_is_refused(url: str) -> None:
    with pytest.raises(StorageError, match="JAMDUB_DATABASE_URL"):
        make_engine(url)


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
