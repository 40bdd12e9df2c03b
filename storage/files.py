"""The files that users name: on this machine, or in a bucket of the configured endpoint. Nothing else is opened."""

import mimetypes
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from schemas.errors import RequestError, StorageError
from schemas.settings import Settings
from storage.bucket import Bucket, open_bucket, split_s3_url
from storage.cache import open_cache

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://|(file|data):")


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


def open_file(place: str, settings: Settings) -> File:
    """Return the file that a user names: a path, or `s3://bucket/key`.

    Raises: RequestError, where it is another kind of URL, or lies outside of `files_root`; StorageError, where the
        settings lack the endpoint.
    """
    scheme = _SCHEME.match(place)
    if scheme is None:
        return LocalFile(_local_path(place, settings))
    if scheme[0] != "s3://":
        # An address may hold a password or a token: it is not repeated.
        raise RequestError(f"a {scheme[0]} URL is not opened, only paths and s3://bucket/key: copy the file there")
    try:
        name, key = split_s3_url(place)
    except StorageError as error:
        raise RequestError(str(error)) from error
    return BucketFile(open_bucket(name, settings), key)


def fetch(place: str, settings: Settings) -> Path:
    """Return a readable file of this disk: the one that is named, or a copy of the one in a bucket, under its name.

    Raises: RequestError, where there is no such file in the bucket or it is larger than `max_upload_bytes`, and as
        open_file; StorageError, where it cannot be fetched.
    """
    file = open_file(place, settings)
    if isinstance(file, LocalFile):
        return file.path
    assert isinstance(file, BucketFile)
    found = file.bucket.find(file.key) if file.key else None
    if found is None:
        raise RequestError(f"{file.place} does not exist: check the URL")
    if found.size_bytes > settings.max_upload_bytes:
        raise RequestError(
            f"{file.place} has {found.size_bytes} bytes, more than the {settings.max_upload_bytes} that are accepted "
            "(JAMDUB_MAX_UPLOAD_BYTES)"
        )
    chunks = file.bucket.read(file.key, found.version)
    return open_cache(settings).keep_input(
        f"{file.place} {found.version}", PurePosixPath(file.key).name, found.size_bytes, chunks
    )


def join(folder: str, name: str) -> str:
    """Name a file of a folder, whether that is a path or a URL."""
    return f"{folder.rstrip('/')}/{name}" if folder else name


def prepare_folder(folder: str, settings: Settings) -> None:
    """Prove that files can be written to a folder, which is made where that is needed.

    Raises: RequestError, where they cannot.
    """
    probe = open_file(join(folder, f".jamdub-{os.getpid()}"), settings)
    try:
        if isinstance(probe, LocalFile):
            probe.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=probe.path.parent, prefix=".jamdub-"):
                pass
        else:
            probe.write(b"")
            probe.remove()
    except OSError as error:
        raise RequestError(f"{folder}: cannot write there ({error.strerror}); choose another --out") from error
    except StorageError as error:
        raise RequestError(f"{folder}: {error}; or choose another --out") from error


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


def _local_path(place: str, settings: Settings) -> Path:
    if "\0" in place:
        raise RequestError(f"{place!r} is no path: it has a zero byte in it")
    path, root = Path(place), settings.files_root
    if root is not None and not path.resolve().is_relative_to(root.resolve()):
        raise RequestError(f"{place} is outside of {root}, the only folder that is opened here (JAMDUB_FILES_ROOT)")
    return path
