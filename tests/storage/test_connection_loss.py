"""A database server that dies in the middle: one clear error, nothing half-recorded, and a restart is waited for."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.topology.postgres import Postgres
from schemas.artifact import ArtifactRef
from schemas.errors import StorageError
from storage.catalogue import Catalogue
from storage.engine import make_engine, migrate

pytestmark = pytest.mark.slow

REF = ArtifactRef(sha256=hashlib.sha256(b"").hexdigest(), media_type="audio/wav", size_bytes=0)


@pytest.fixture
def server(reachable_path: Path) -> Iterator[Postgres]:
    with Postgres(reachable_path / "server") as server:
        migrate(server.url)
        yield server


def test_a_server_that_dies_loses_nothing_that_was_recorded(server: Postgres) -> None:
    catalogue = Catalogue(make_engine(server.url))
    catalogue.record_lineage(REF, [REF], "recorded")
    with pytest.raises(StorageError, match="run again: nothing is lost") as caught, catalogue.transaction():
        catalogue.record_lineage(REF, [REF], "half-recorded")
        server.kill()
        catalogue.record_lineage(REF, [REF], "never")
    assert "\n" not in str(caught.value) and server.password not in str(caught.value)
    restart = threading.Timer(1.0, server.start)
    restart.start()
    assert [edge.role for edge in catalogue.lineage_of(REF.sha256)] == ["recorded"]
    restart.join()
