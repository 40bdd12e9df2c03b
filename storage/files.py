"""Files of this machine and of a bucket, which are written completely or not at all."""

import mimetypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from schemas.errors import StorageError
from storage.bucket import Bucket


class File(Protocol):
    """One file by its name, whether it is there or not."""

    @property
    def place(self) -> str:
        """Path or URL, for people."""
        ...

    @property
    def resolved(self) -> str:
        """The same for the same file, however its place was written."""
        ...

    def size_bytes(self) -> int | None:
        """Return its size; None where there is none."""
        ...

    def read(self) -> bytes:
        """Return what it holds, whole: for small files. Raises: StorageError, where it is not there."""
        ...

    def write(self, data: bytes) -> None:
        """Write it completely or not at all. Raises: StorageError."""
        ...

    def copy_from(self, path: Path) -> None:
        """Write what another file holds, completely or not at all, in constant memory. Raises: StorageError."""
        ...

    def remove(self) -> None:
        """Remove it; nothing happens where there is none. Raises: StorageError."""
        ...


@dataclass(frozen=True)
class LocalFile:
    """A file of this machine."""

    path: Path

    @property
    def place(self) -> str:
        return str(self.path)

    @property
    def resolved(self) -> str:
        return str(self.path.resolve())

    def size_bytes(self) -> int | None:
        try:
            return self.path.stat().st_size
        except OSError:
            return None

    def read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise StorageError(f"cannot read {self.path}: {error.strerror}") from error

    def write(self, data: bytes) -> None:
        _write_local(self.path, BytesIO(data), len(data))

    def copy_from(self, path: Path) -> None:
        with path.open("rb") as source:
            _write_local(self.path, source, path.stat().st_size)

    def remove(self) -> None:
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"cannot remove {self.path}: {error.strerror}") from error


@dataclass(frozen=True)
class BucketFile:
    """An object of a bucket under the key that a user names."""

    bucket: Bucket
    key: str

    @property
    def place(self) -> str:
        return self.bucket.url(self.key)

    @property
    def resolved(self) -> str:
        return self.place

    def size_bytes(self) -> int | None:
        found = self.bucket.find(self.key)
        return None if found is None else found.size_bytes

    def read(self) -> bytes:
        return b"".join(self.bucket.read(self.key))

    def write(self, data: bytes) -> None:
        self._write(BytesIO(data), len(data))

    def copy_from(self, path: Path) -> None:
        with path.open("rb") as source:
            self._write(source, path.stat().st_size)

    def remove(self) -> None:
        self.bucket.remove(self.key)

    def _write(self, source: BinaryIO, size_bytes: int) -> None:
        media_type = mimetypes.guess_type(self.key)[0] or "application/octet-stream"
        self.bucket.write(self.key, source, size_bytes, media_type)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file completely or not at all. Raises: StorageError, which names the file and the bytes needed."""
    LocalFile(path).write(data)


def _write_local(path: Path, source: BinaryIO, size_bytes: int) -> None:
    with (
        _explained(path, size_bytes),
        tempfile.NamedTemporaryFile(dir=path.parent, prefix=".jamdub-", delete=False) as file,
    ):
        try:
            shutil.copyfileobj(source, file)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).chmod(0o644)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


@contextmanager
def _explained(path: Path, size_bytes: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path}: could not write {size_bytes} bytes ({error.strerror}); free space and run again: nothing is lost"
        ) from error
