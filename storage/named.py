"""Small values under names of their own, beside the objects of a store: the results of tasks."""

import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from schemas.errors import ArtifactMissing, StorageError
from schemas.settings import Settings
from storage.bucket import Bucket, open_bucket, split_s3_url
from storage.files import LocalFile
from storage.objects import local_folder

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,250}")
MEDIA_TYPE = "application/json"


class NamedValues(Protocol):
    """Values by name; a value that is written again replaces the former, whole."""

    def read(self, name: str) -> bytes:
        """Return a value. Raises: ArtifactMissing, StorageError."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Keep a value. Raises: StorageError."""
        ...

    def list(self) -> Iterator[tuple[str, datetime]]:
        """Yield the names of all values, and when each was written. Raises: StorageError."""
        ...

    def remove(self, name: str) -> None:
        """Remove a value; nothing happens where there is none. Raises: StorageError."""
        ...


@dataclass(frozen=True)
class FolderValues:
    """Values as files of one folder."""

    folder: Path

    def read(self, name: str) -> bytes:
        """Return a value. Raises: ArtifactMissing, StorageError."""
        path = self.folder / _checked(name)
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise ArtifactMissing(f"{path} is not there") from error
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error.strerror}") from error

    def write(self, name: str, data: bytes) -> None:
        """Keep a value. Raises: StorageError."""
        file = LocalFile(self.folder / _checked(name))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot make {self.folder}: {error.strerror}") from error
        file.write(data)

    def list(self) -> Iterator[tuple[str, datetime]]:
        """Yield the names of all values, and when each was written."""
        for path in self.folder.glob("*"):
            with suppress(FileNotFoundError):
                if NAME.fullmatch(path.name) and path.is_file():
                    yield path.name, datetime.fromtimestamp(path.stat().st_mtime, UTC)

    def remove(self, name: str) -> None:
        """Remove a value; nothing happens where there is none. Raises: StorageError."""
        LocalFile(self.folder / _checked(name)).remove()


@dataclass(frozen=True)
class BucketValues:
    """Values as objects of a bucket."""

    bucket: Bucket
    prefix: str

    def read(self, name: str) -> bytes:
        """Return a value. Raises: ArtifactMissing, StorageError."""
        return b"".join(self.bucket.read(f"{self.prefix}{_checked(name)}"))

    def write(self, name: str, data: bytes) -> None:
        """Keep a value. Raises: StorageError."""
        self.bucket.write(f"{self.prefix}{_checked(name)}", io.BytesIO(data), len(data), MEDIA_TYPE)

    def list(self) -> Iterator[tuple[str, datetime]]:
        """Yield the names of all values, and when each was written. Raises: StorageError."""
        for found in self.bucket.list(self.prefix):
            name = found.key.removeprefix(self.prefix)
            if NAME.fullmatch(name):
                yield name, found.modified_at

    def remove(self, name: str) -> None:
        """Remove a value; nothing happens where there is none. Raises: StorageError."""
        self.bucket.remove(f"{self.prefix}{_checked(name)}")


def open_named(settings: Settings, kind: str) -> NamedValues:
    """Open the values of one kind in the store that the settings name. Raises: StorageError."""
    url = settings.resolved_store_url
    if url.startswith("s3://"):
        name, key = split_s3_url(url)
        return BucketValues(open_bucket(name, settings), f"{key}/{kind}/" if key else f"{kind}/")
    return FolderValues(local_folder(url) / kind)


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise StorageError(f"{name!r} is no name of a value: letters, digits, dot, dash and underscore")
    return name
