"""Verified copies of remote objects on this disk, as many as a limit allows."""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from schemas.artifact import ArtifactRef
from schemas.settings import Settings
from storage.local import LocalObjectStore

IN_USE_S = 3600.0
"""What was asked for so lately stays, whatever the limit says: a running task may open it again."""
LOOKED_AT_S = 600.0


class ObjectCache(LocalObjectStore):
    """A local store that forgets what was not used for longest; the time of use is the file's own."""

    remedy = "lower JAMDUB_CACHE_MAX_BYTES and delete some, or set JAMDUB_HOME to a folder on another disk"

    def __init__(self, root: Path, max_bytes: int) -> None:
        super().__init__(root)
        self._max_bytes = max_bytes
        self._kept_bytes = 0

    def local_path(self, ref: ArtifactRef) -> Path:
        """Return the copy and mark it as used now. Raises: ArtifactMissing, ArtifactCorrupt."""
        _use(self._path(ref.sha256))
        return super().local_path(ref)

    def keep(self, ref: ArtifactRef, chunks: Iterable[bytes]) -> None:
        """Store a copy, and make room where much has come in. Raises: ArtifactCorrupt, StorageError."""
        super().keep(ref, chunks)
        self._make_room(ref.size_bytes)

    def keep_input(self, version: str, name: str, size_bytes: int, chunks: Iterable[bytes]) -> Path:
        """Return the copy of a user's file of that version under its own name, stored unless it is here.

        Raises: StorageError, where it cannot be written.
        """
        path = self.root / "inputs" / hashlib.sha256(version.encode()).hexdigest()[:32] / name
        _use(path)
        if not path.is_file() or path.stat().st_size != size_bytes:
            self._write(path, chunks, size_bytes, None)
            self._make_room(size_bytes)
        return path

    def evict(self) -> int:
        """Remove the copies used longest ago until the limit is met; returns how many."""
        copies = sorted(_copies(self.root))
        excess_bytes, removed = sum(size_bytes for _, size_bytes, _ in copies) - self._max_bytes, 0
        for used_at_s, size_bytes, path in copies:
            if excess_bytes <= 0 or used_at_s > time.time() - IN_USE_S:
                break
            with suppress(FileNotFoundError):  # another process removes as well
                if path.stat().st_mtime == used_at_s:  # or it was used meanwhile
                    path.unlink()
                    removed += 1
                    excess_bytes -= size_bytes
        return removed

    def _make_room(self, new_bytes: int) -> None:
        self._kept_bytes += new_bytes
        if self._kept_bytes > self._max_bytes / 100:  # to look through all copies for every small one takes too long
            self._kept_bytes = 0
            self.evict()


def open_cache(settings: Settings) -> ObjectCache:
    """Open the cache that the settings describe, within its limit, without what killed writers left."""
    cache = ObjectCache(settings.cache_dir / "objects", settings.cache_max_bytes)
    cache.sweep()
    looked_at = cache.root / "looked-at"  # every task opens the cache: too often to look through all of it
    if not looked_at.exists() or time.time() - looked_at.stat().st_mtime > LOOKED_AT_S:
        with suppress(OSError):
            cache.root.mkdir(parents=True, exist_ok=True)
            looked_at.touch()
        cache.evict()
    return cache


def _use(path: Path) -> None:
    with suppress(OSError):
        os.utime(path)


def _copies(root: Path) -> Iterator[tuple[float, int, Path]]:
    """Time of last use in s, size in bytes and path of every copy."""
    for path in chain(root.glob("sha256/*/*"), root.glob("inputs/*/*")):
        with suppress(FileNotFoundError):
            status = path.stat()
            yield status.st_mtime, status.st_size, path
