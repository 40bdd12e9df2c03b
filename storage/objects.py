"""Bytes stored under their own hash: `sha256/ab/abcd…`. Large values travel between tasks as references to these."""

from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from schemas.artifact import ArtifactRef
from schemas.errors import StorageError
from storage.local import LocalObjectStore


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


def open_store(url: str, cache_dir: Path) -> ObjectStore:  # noqa: ARG001 (remote stores keep verified copies there)
    """Open the store that a URL names and sweep what killed writers left in it.

    Raises: StorageError, where no store of that scheme exists or its folder cannot be made.
    """
    parts = urlsplit(url)
    if parts.scheme != "file":
        raise StorageError(f"no object store for {url!r}: supported is file:///absolute/folder (JAMDUB_STORE_URL)")
    folder = Path(unquote(parts.path))
    if parts.netloc not in ("", "localhost") or not folder.is_absolute():
        raise StorageError(f"object store {url!r} is not an absolute local folder: write file:///absolute/folder")
    store = LocalObjectStore(folder)
    store.sweep()
    return store
