"""Verified copies of remote objects on this disk, as many as a limit allows."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from schemas.artifact import ArtifactRef
from storage.local import LocalObjectStore

IN_USE_S = 3600.0
"""What was asked for so lately stays, whatever the limit says: a running task may open it again."""


class ObjectCache(LocalObjectStore):
    """A local store that forgets what was not used for longest; the time of use is the file's own."""

    remedy = "lower JAMDUB_CACHE_MAX_BYTES and delete some, or set JAMDUB_HOME to a folder on another disk"

    def __init__(self, root: Path, max_bytes: int) -> None:
        super().__init__(root)
        self._max_bytes = max_bytes
        self._kept_bytes = 0

    def local_path(self, ref: ArtifactRef) -> Path:
        """Return the copy and mark it as used now. Raises: ArtifactMissing, ArtifactCorrupt."""
        path = super().local_path(ref)
        os.utime(path)
        return path

    def keep(self, ref: ArtifactRef, chunks: Iterable[bytes]) -> None:
        """Store a copy, and make room where much has come in. Raises: ArtifactCorrupt, StorageError."""
        super().keep(ref, chunks)
        self._kept_bytes += ref.size_bytes
        if self._kept_bytes > self._max_bytes / 100:  # to look through all copies for every small one takes too long
            self._kept_bytes = 0
            self.evict()

    def evict(self) -> int:
        """Remove the copies used longest ago until the limit is met; returns how many."""
        copies = sorted(_copies(self.root))
        excess_bytes, removed = sum(size_bytes for _, size_bytes, _ in copies) - self._max_bytes, 0
        for used_at_s, size_bytes, path in copies:
            if excess_bytes <= 0 or used_at_s > time.time() - IN_USE_S:
                break
            with suppress(FileNotFoundError):  # another process removes as well
                path.unlink()
                removed += 1
            excess_bytes -= size_bytes
        return removed


def _copies(root: Path) -> Iterator[tuple[float, int, Path]]:
    """Time of last use in s, size in bytes and path of every copy."""
    for path in root.glob("sha256/*/*"):
        with suppress(FileNotFoundError):
            status = path.stat()
            yield status.st_mtime, status.st_size, path
