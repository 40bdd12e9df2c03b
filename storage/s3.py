"""The object store in an S3 bucket, with verified copies on this disk.

What is put is kept as a copy first and uploaded from there, so that a later task on this machine reads it without
the network. An upload is seen whole or not at all; bytes that do not have the hash they are asked by go nowhere.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from schemas.artifact import ArtifactRef
from schemas.errors import ArtifactCorrupt, ArtifactMissing
from storage.bucket import Bucket
from storage.cache import ObjectCache
from storage.stored import SHA256, StoredObject

RENEWED_AFTER = timedelta(hours=1)
"""An object that is put again counts as new, unless it is nearly so: see storage.retention."""


class S3ObjectStore:
    """Objects under a prefix of a bucket, laid out as in the local store; safe for many processes and machines."""

    def __init__(self, bucket: Bucket, prefix: str, cache: ObjectCache) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._cache = cache

    def put_bytes(self, data: bytes, media_type: str) -> ArtifactRef:
        """Store bytes. Raises: StorageError, where they cannot be written."""
        return self._upload(self._cache.put_bytes(data, media_type))

    def put_file(self, path: Path, media_type: str) -> ArtifactRef:
        """Store a copy of a file, in constant memory. Raises: StorageError."""
        return self._upload(self._cache.put_file(path, media_type))

    def get_bytes(self, ref: ArtifactRef) -> bytes:
        """Return an object, its hash verified. Raises: ArtifactMissing, ArtifactCorrupt, StorageError."""
        self.local_path(ref)
        return self._cache.get_bytes(ref)

    def local_path(self, ref: ArtifactRef) -> Path:
        """Return the copy on this disk, whose hash was verified when it was fetched.

        Raises: ArtifactMissing, ArtifactCorrupt, StorageError.
        """
        try:
            return self._cache.local_path(ref)
        except (ArtifactMissing, ArtifactCorrupt):
            self._fetch(ref)
        return self._cache.local_path(ref)

    def has(self, ref: ArtifactRef) -> bool:
        """Say whether the bucket holds the object, by name and size. Raises: StorageError."""
        found = self._bucket.find(self._key(ref.sha256))
        return found is not None and found.size_bytes == ref.size_bytes

    def link(self, ref: ArtifactRef, expires_s: float) -> str | None:
        """Return a URL under which anyone can read the object until it expires, at most seven days."""
        return self._bucket.link(self._key(ref.sha256), expires_s, ref.media_type)

    def list(self) -> Iterator[StoredObject]:
        """Yield every object. Raises: StorageError."""
        for found in self._bucket.list(f"{self._prefix}sha256/"):
            sha256 = found.key.rpartition("/")[2]
            if SHA256.fullmatch(sha256):
                yield StoredObject(sha256, found.size_bytes, found.modified_at)

    def remove(self, sha256: str, put_before: datetime) -> bool:
        """Remove an object, unless it was put since then; say whether it is gone. Raises: StorageError."""
        found = self._bucket.find(self._key(sha256))
        if found is not None and found.modified_at >= put_before:
            return False
        self._bucket.remove(self._key(sha256))
        return True

    def _key(self, sha256: str) -> str:
        return f"{self._prefix}sha256/{sha256[:2]}/{sha256}"

    def _upload(self, ref: ArtifactRef) -> ArtifactRef:
        key, found = self._key(ref.sha256), self._bucket.find(self._key(ref.sha256))
        if found is None or found.size_bytes != ref.size_bytes:
            path = self._cache.local_path(ref)
            with path.open("rb") as file:
                data = cast(BinaryIO, _Verified(file, ref, path))
                self._bucket.write(key, data, ref.size_bytes, ref.media_type)
        elif datetime.now(UTC) - found.modified_at > RENEWED_AFTER:
            self._bucket.renew(key)
        return ref

    def _fetch(self, ref: ArtifactRef) -> None:
        key = self._key(ref.sha256)
        try:
            self._cache.keep(ref, self._bucket.read(key))
        except ArtifactMissing as error:
            raise ArtifactMissing(
                f"object {ref.sha256[:12]}… ({ref.media_type}) is not in s3://{self._bucket.name}/{self._prefix}: run "
                "again to remake it, or point JAMDUB_STORE_URL to the store that holds it"
            ) from error
        except ArtifactCorrupt as error:
            raise ArtifactCorrupt(
                f"{self._bucket.url(key)} does not have the hash it is stored under: delete it and run again to "
                "remake it"
            ) from error


class _Verified:
    """A file that refuses to give its last bytes where its hash is not the one it is to have."""

    def __init__(self, file: BinaryIO, ref: ArtifactRef, path: Path) -> None:
        self._file, self._ref, self._path = file, ref, path
        self._digest, self._read_bytes = hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        self._read_bytes += len(data)
        is_last = not data or self._read_bytes >= self._ref.size_bytes
        if is_last and self._digest.hexdigest() != self._ref.sha256:
            raise ArtifactCorrupt(f"{self._path} was altered on this disk: delete this file and run again")
        return data
