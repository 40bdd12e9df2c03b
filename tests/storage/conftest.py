"""Every kind of object store, opened as users open it, and a way to its bytes behind its back."""

import io
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from examples.topology.s3 import Key, S3Server
from schemas.artifact import ArtifactRef
from schemas.settings import Settings
from storage.catalogue import Catalogue
from storage.engine import make_engine, migrate
from storage.objects import ObjectStore, open_store


@dataclass(frozen=True)
class Backend:
    """A store and what it stands on."""

    settings: Settings
    server: S3Server | None

    @property
    def store(self) -> ObjectStore:
        """The store, opened anew."""
        return open_store(self.settings)

    def write_behind(self, ref: ArtifactRef, data: bytes) -> None:
        """Replace an object's bytes where they lie, and forget every copy."""
        layout = f"sha256/{ref.sha256[:2]}/{ref.sha256}"
        if self.server is None:
            path = self.settings.home / "objects" / layout
            path.chmod(0o644)
            path.write_bytes(data)
            return
        prefix = self.settings.resolved_store_url.partition(f"s3://{self.server.bucket}/")[2]
        client = self.server.client(self.server.admin)
        client.put_object(self.server.bucket, f"{prefix}/{layout}", io.BytesIO(data), len(data))
        shutil.rmtree(self.settings.cache_dir)


def s3_settings(server: S3Server, key: Key, home: Path, **changes: object) -> Settings:
    """Settings of a store of its own in the server's bucket."""
    values = {
        "home": home,
        "store_url": f"s3://{server.bucket}/a store's {secrets.token_hex(6)} 100%",
        "s3_endpoint": server.url,
        "s3_access_key": key.access,
        "s3_secret_key": key.secret,
    }
    return Settings.model_validate(values | changes)


@pytest.fixture(params=["local", "s3"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """An empty store of each kind."""
    if request.param == "local":
        yield Backend(Settings(home=tmp_path / "a home's 100%"), None)
    else:
        server: S3Server = request.getfixturevalue("s3_server")
        yield Backend(s3_settings(server, server.worker, tmp_path / "home"), server)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a folder' / 'catalogue.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def catalogue(database_url: str) -> Iterator[Catalogue]:
    """An empty catalogue in each kind of database."""
    migrate(database_url)
    engine = make_engine(database_url)
    yield Catalogue(engine)
    engine.dispose()
