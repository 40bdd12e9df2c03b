"""Bytes stored under their own hash: `sha256/ab/abcd…`. Large values travel between tasks as references to these."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from schemas.artifact import ArtifactRef
from schemas.errors import StorageError
from schemas.settings import Settings
from storage.bucket import open_bucket, split_s3_url
from storage.cache import open_cache
from storage.local import LocalObjectStore
from storage.s3 import S3ObjectStore
from storage.stored import StoredObject


class ObjectStore(Protocol):
    """What every store can do. An object never changes; the same bytes put twice are one object."""

    def put_bytes(self, data: bytes, media_type: str) -> ArtifactRef:
        """Store bytes. Raises: StorageError, where they cannot be written."""
        ...

    def put_file(self, path: Path, media_type: str) -> ArtifactRef:
        """Store a copy of a file, in constant memory. Raises: StorageError."""
        ...

    def get_bytes(self, ref: ArtifactRef) -> bytes:
        """Return an object, its hash verified. Raises: ArtifactMissing, ArtifactCorrupt."""
        ...

    def local_path(self, ref: ArtifactRef) -> Path:
        """Return a readable local file of the object, never to be written to.

        A remote store returns a cached copy whose hash was verified when it was fetched.

        Raises: ArtifactMissing, ArtifactCorrupt.
        """
        ...

    def has(self, ref: ArtifactRef) -> bool:
        """Say whether the store holds the object, by name and size."""
        ...

    def link(self, ref: ArtifactRef, expires_s: float) -> str | None:
        """Return a URL under which anyone can read the object until it expires; None where the store has none."""
        ...

    def list(self) -> Iterator[StoredObject]:
        """Yield every object. Raises: StorageError."""
        ...

    def remove(self, sha256: str, put_before: datetime) -> bool:
        """Remove an object, unless it was put since then; say whether it is gone. Raises: StorageError."""
        ...


def open_store(settings: Settings) -> ObjectStore:
    """Open the store that the settings name and sweep what killed writers left on this disk.

    Raises: StorageError, where no store of that scheme exists, or it lacks settings.
    """
    url = settings.resolved_store_url
    if url.startswith("s3://"):
        name, prefix = split_s3_url(url)
        return S3ObjectStore(open_bucket(name, settings), prefix, open_cache(settings))
    store = LocalObjectStore(local_folder(url))
    store.sweep()
    return store


def local_folder(url: str) -> Path:
    """Return the folder that a store's URL names. Raises: StorageError, where it names none."""
    parts = urlsplit(url)
    folder = Path(unquote(parts.path))
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not folder.is_absolute():
        raise StorageError(
            "JAMDUB_STORE_URL names no object store: write file:///absolute/folder or s3://bucket/prefix"
        )
    return folder
