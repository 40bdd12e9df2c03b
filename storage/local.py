"""The object store in a local folder.

A writer fills a locked file under `tmp/`, flushes it to the disk and renames it to its final name: a reader
sees a whole object or none, and a killed writer leaves only a file in `tmp/` that the next sweep removes.
"""

import errno
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from schemas.artifact import ArtifactRef
from schemas.errors import ArtifactCorrupt, ArtifactMissing, StorageError
from storage.stored import SHA256, StoredObject

CHUNK_BYTES = 1 << 20
SWEEP_AGE_S = 60.0  # longer than any writer takes from creating its file to locking it


class LocalObjectStore:
    """Objects as read-only files of one folder; safe for many processes at once."""

    remedy = "set JAMDUB_HOME to a folder on another disk"
    """What to do where the disk is full."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._temporary = self.root / "tmp"

    def put_bytes(self, data: bytes, media_type: str) -> ArtifactRef:
        """Store bytes. Raises: StorageError, where they cannot be written."""
        ref = ArtifactRef(sha256=hashlib.sha256(data).hexdigest(), media_type=media_type, size_bytes=len(data))
        if not self._renew(ref):
            self.keep(ref, [data])
        return ref

    def put_file(self, path: Path, media_type: str) -> ArtifactRef:
        """Store a copy of a file, in constant memory. Raises: StorageError.

        The file is hashed before it is copied, so that a file already stored costs one reading and no writing.
        """
        sha256, size_bytes = _digest(_chunks(path))
        ref = ArtifactRef(sha256=sha256, media_type=media_type, size_bytes=size_bytes)
        if not self._renew(ref):
            try:
                self.keep(ref, _chunks(path))
            except ArtifactCorrupt as error:
                raise StorageError(
                    f"{path} changed while it was being stored: repeat when nothing writes to it"
                ) from error
        return ref

    def keep(self, ref: ArtifactRef, chunks: Iterable[bytes]) -> None:
        """Store bytes that come in chunks and must have the reference's hash.

        Raises: ArtifactCorrupt, where they have another, and StorageError, where they cannot be written; nothing is
            stored then.
        """
        self._write(self._path(ref.sha256), chunks, ref.size_bytes, ref.sha256)

    def get_bytes(self, ref: ArtifactRef) -> bytes:
        """Return an object, its hash verified. Raises: ArtifactMissing, ArtifactCorrupt."""
        path = self.local_path(ref)
        data = b"".join(_chunks(path))
        found = hashlib.sha256(data).hexdigest()
        if found != ref.sha256:
            raise ArtifactCorrupt(f"{path} has the hash {found[:12]}…: delete this file and run again to remake it")
        return data

    def local_path(self, ref: ArtifactRef) -> Path:
        """Return the object's own file, its size verified. Raises: ArtifactMissing, ArtifactCorrupt."""
        path = self._path(ref.sha256)
        try:
            size_bytes = path.stat().st_size
        except OSError as error:
            raise ArtifactMissing(
                f"object {ref.sha256[:12]}… ({ref.media_type}) is not in {self.root}: run again to remake it, "
                "or point JAMDUB_STORE_URL to the store that holds it"
            ) from error
        if size_bytes != ref.size_bytes:
            raise ArtifactCorrupt(
                f"{path} has {size_bytes} bytes, expected {ref.size_bytes}: delete this file and run again to remake it"
            )
        return path

    def has(self, ref: ArtifactRef) -> bool:
        """Say whether the store holds the object, by name and size."""
        try:
            return self._path(ref.sha256).stat().st_size == ref.size_bytes
        except OSError:
            return False

    def link(self, ref: ArtifactRef, expires_s: float) -> str | None:  # noqa: ARG002 (a folder has no visitors)
        """Return None: a folder is not served to anyone."""
        return None

    def list(self) -> Iterator[StoredObject]:
        """Yield every object."""
        for path in self.root.glob("sha256/*/*"):
            with suppress(FileNotFoundError):
                status = path.stat()
                if SHA256.fullmatch(path.name):
                    yield StoredObject(path.name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def remove(self, sha256: str, put_before: datetime) -> bool:
        """Remove an object, unless it was put since then; say whether it is gone. Raises: StorageError."""
        path = self._path(sha256)
        try:
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < put_before:
                path.unlink()
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise StorageError(f"cannot remove {path}: {error.strerror}") from error
        return not path.exists()

    def sweep(self) -> int:
        """Remove what killed writers left; return how many files. A living writer's file is locked, so it stays."""
        return sum(_remove_if_abandoned(path) for path in self._temporary.glob("*.part"))

    def _renew(self, ref: ArtifactRef) -> bool:
        """Whether the object is here; then it counts as put now."""
        with suppress(OSError):
            if self.has(ref):
                os.utime(self._path(ref.sha256))
                return True
        return False

    def _path(self, sha256: str) -> Path:
        return self.root / "sha256" / sha256[:2] / sha256

    def _write(self, target: Path, chunks: Iterable[bytes], size_bytes: int, sha256: str | None) -> None:
        with _explained(self.root, size_bytes, self.remedy):
            self._temporary.mkdir(parents=True, exist_ok=True)
            partial = self._temporary / f"{os.getpid()}-{secrets.token_hex(8)}.part"
            try:
                found = _write_locked(partial, chunks)
                if sha256 not in (None, found):
                    raise ArtifactCorrupt(f"object {str(sha256)[:12]}… came with the hash {found[:12]}…: not kept")
                target.parent.mkdir(parents=True, exist_ok=True)
                partial.replace(target)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
            _flush_folder(target.parent)


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error


def _digest(chunks: Iterable[bytes]) -> tuple[str, int]:
    digest, size_bytes = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size_bytes += len(chunk)
    return digest.hexdigest(), size_bytes


def _write_locked(path: Path, chunks: Iterable[bytes]) -> str:
    """Write a new read-only file, hold its lock meanwhile, and return the hash of what was written."""
    digest = hashlib.sha256()
    with path.open("xb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fchmod(file.fileno(), 0o444)
        os.fsync(file.fileno())
    return digest.hexdigest()


def _flush_folder(folder: Path) -> None:
    """Make a rename in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_if_abandoned(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if time.time() - os.fstat(file.fileno()).st_mtime > SWEEP_AGE_S:
            path.unlink()
            return True
    return False


@contextmanager
def _explained(root: Path, size_bytes: int, remedy: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(
                f"no space left in {root}: {size_bytes} bytes are needed; free some, or {remedy}"
            ) from error
        raise StorageError(
            f"cannot write in {root}: {error.strerror}; set JAMDUB_HOME to a folder that you may write to"
        ) from error
