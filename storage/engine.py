"""From a database URL to an engine with the newest schema."""

import random
import time
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from schemas.errors import StorageError

BUSY_TIMEOUT_S = 60.0
RESTART_S = 30.0
MIGRATION_LOCK = 0x6A616D  # "jam": the advisory lock that a migration holds on PostgreSQL
_PATIENCE = {
    "connect_timeout": 10,  # s
    "keepalives_idle": 30,  # s; a server that vanished without a word is noticed within a minute
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # ms
}
_MIGRATIONS = Path(__file__).parent / "migrations"


def make_engine(url: str) -> Engine:
    """Make an engine for a catalogue URL; nothing is connected yet. `postgresql://` is spoken by psycopg.

    SQLite gets a write-ahead log, foreign keys, and transactions that take the write lock when they begin:
    one that reads first and writes later would fail at once, without waiting, when another wrote in between.

    Raises: StorageError, where the URL names no known database or its folder cannot be made.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "postgresql":
            return create_engine(parsed, pool_pre_ping=True, connect_args=_PATIENCE)
        if parsed.get_backend_name() != "sqlite":
            raise ArgumentError("another database")
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_S})
    except (SQLAlchemyError, ImportError, ValueError) as error:  # their words may hold the URL with its password
        raise StorageError(
            "JAMDUB_DATABASE_URL names no catalogue: write postgresql://user:password@host:5432/name or "
            "sqlite:////absolute/file.db"
        ) from error
    except OSError as error:
        raise StorageError(f"cannot make the folder of {parsed!r}: {error.strerror}; set JAMDUB_HOME") from error
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediately)
    return engine


def connect_patiently(engine: Engine) -> Connection:
    """Return an open connection; a PostgreSQL server that restarts is waited for.

    Raises: sqlalchemy.exc.OperationalError, where it does not answer for RESTART_S seconds.
    """
    deadline_s = time.monotonic() + RESTART_S
    while True:
        try:
            return engine.connect()
        except OperationalError as error:
            if not _may_pass(error) or engine.dialect.name != "postgresql" or time.monotonic() > deadline_s:
                raise
            time.sleep(random.uniform(0.5, 1.5))


def reach(url: str) -> str:
    """Connect to a catalogue and return its URL without the password. Raises: StorageError, where that fails."""
    engine = make_engine(url)
    try:
        with engine.connect():
            return repr(engine.url)
    except SQLAlchemyError as error:
        raise StorageError(f"cannot reach the catalogue {engine.url!r}: {one_line(error)}") from error
    finally:
        engine.dispose()


def migrate(url: str) -> None:
    """Bring the catalogue's schema to the newest revision; processes that start together wait for each other.

    Raises: StorageError, where the database cannot be opened or was made by a newer jamdub.
    """
    engine = make_engine(url)
    try:
        with connect_patiently(engine) as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            command.upgrade(migration_config(connection), "head")
    except CommandError as error:
        raise StorageError(
            f"{engine.url!r} has a schema that this jamdub does not know ({error}): update it"
        ) from error
    except SQLAlchemyError as error:
        raise StorageError(f"cannot prepare the catalogue {engine.url!r}: {one_line(error)}") from error
    finally:
        engine.dispose()


def migration_config(connection: Connection) -> Config:
    """Return the Alembic configuration that runs this package's migrations on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def one_line(error: SQLAlchemyError) -> str:
    """Return the database's own words without the statement and the link that SQLAlchemy adds."""
    origin = getattr(error, "orig", None) or error
    return " ".join(str(origin).split())


def _may_pass(error: OperationalError) -> bool:
    """Whether waiting may help: nobody answers, or a server that starts or stops; not where it refuses."""
    text = one_line(error)
    return "FATAL:" not in text or "the database system is" in text


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction handling is switched off: it begins late and breaks savepoints and DDL.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1000)}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_immediately(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
