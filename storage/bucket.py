"""One bucket of the S3 endpoint that the settings name: whole objects by key, and every failure said in one line."""

import os
import random
import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import urlsplit

import certifi
from minio import Minio
from minio.commonconfig import REPLACE, CopySource
from minio.datatypes import Object
from minio.error import S3Error
from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError, MaxRetryError

from schemas.errors import StorageError
from schemas.settings import Settings
from storage.s3_errors import explained

CHUNK_BYTES = 1 << 20
PART_BYTES = 16 << 20
"""Of a multipart upload: one is held in memory; 10 000 of them, the most there may be, are 168 GB."""
CONNECT_S, READ_S = 5.0, 60.0
ATTEMPTS = 5
BACKOFF_S = 0.3
"""A network error or a 5xx answer is repeated for about ten seconds: a server that restarts is not noticed."""
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")


@dataclass(frozen=True)
class Stored:
    """An object of a bucket."""

    key: str
    size_bytes: int
    modified_at: datetime
    version: str
    """Another one where the object was replaced."""


@dataclass(frozen=True)
class Bucket:
    """Safe for many threads; every call raises StorageError where the endpoint fails or refuses."""

    name: str
    endpoint: str
    client: Minio = field(repr=False)
    visitors: Minio = field(repr=False)
    """Speaks of the server by the name that browsers know; it signs links, and asks nothing."""

    def find(self, key: str) -> Stored | None:
        """Return what an object is; None where there is none."""
        with self._explained("read", key):
            return self._head(key)

    def read(self, key: str, version: str | None = None) -> Iterator[bytes]:
        """Yield an object, of a version if one is named, in chunks; where the connection breaks, it goes on there.

        Raises: ArtifactMissing, where there is no such object; StorageError, also where it is replaced meanwhile.
        """
        offset, failures = 0, 0
        with self._explained("read", key):
            while True:
                try:
                    with closing(self._open(key, offset, version)) as response:
                        version = response.headers.get("etag", "").strip('"')
                        # What has come is kept: a longer read would lose all of it where the connection breaks.
                        while chunk := response.read1(CHUNK_BYTES):
                            offset, failures = offset + len(chunk), 0
                            yield chunk
                        response.release_conn()
                        return
                except MaxRetryError:
                    raise
                except HTTPError:
                    failures += 1
                    if failures > ATTEMPTS:
                        raise
                    time.sleep(random.uniform(0.5, 1) * BACKOFF_S * 2**failures)

    def write(self, key: str, data: BinaryIO, size_bytes: int, media_type: str) -> None:
        """Write an object, in constant memory; it is seen whole or not at all."""
        with self._explained("write", key):
            try:
                self.client.put_object(
                    self.name, key, data, size_bytes, media_type, part_size=PART_BYTES, num_parallel_uploads=1
                )
            except S3Error as error:
                # A repeated request to complete an upload finds it gone where only the first answer was lost.
                there = self._head(key) if error.code == "NoSuchUpload" else None
                if there is None or there.size_bytes != size_bytes:
                    raise

    def renew(self, key: str) -> None:
        """Make an object's time of modification now; its bytes stay where they are."""
        with self._explained("write", key):
            self.client.copy_object(self.name, key, CopySource(self.name, key), metadata_directive=REPLACE)

    def remove(self, key: str) -> None:
        """Remove an object; nothing happens where there is none."""
        with self._explained("remove", key):
            self.client.remove_object(self.name, key)

    def list(self, prefix: str) -> Iterator[Stored]:
        """Yield the objects whose keys begin with the prefix."""
        with self._explained("list", prefix):
            for found in self.client.list_objects(self.name, prefix, recursive=True):
                yield _stored(found)

    def link(self, key: str, expires_s: float, media_type: str) -> str:
        """Return a URL under which anyone can read the object until it expires; nothing is asked of the endpoint."""
        return self.visitors.presigned_get_object(
            self.name, key, timedelta(seconds=expires_s), response_headers={"response-content-type": media_type}
        )

    def make(self) -> None:
        """Make the bucket itself; nothing happens where it is there."""
        with self._explained("make", ""):
            try:
                next(iter(self.client.list_objects(self.name)), None)
            except S3Error as error:
                if error.code != "NoSuchBucket":
                    raise
                self.client.make_bucket(self.name)

    def url(self, key: str) -> str:
        """The object's name for people."""
        return f"s3://{self.name}/{key}"

    def _open(self, key: str, offset: int, version: str | None) -> BaseHTTPResponse:
        wanted: dict[str, str | list[str] | tuple[str]] = {"If-Match": f'"{version}"'} if version else {}
        response = self.client.get_object(self.name, key, offset, request_headers=wanted)
        if offset and response.status != HTTPStatus.PARTIAL_CONTENT:
            response.close()
            raise StorageError(f"{self.endpoint} cannot go on reading {self.url(key)} where it broke: run again")
        return response

    def _head(self, key: str) -> Stored | None:
        try:
            return _stored(self.client.stat_object(self.name, key))
        except S3Error as error:
            if error.code == "AccessDenied":  # an answer to HEAD has no body that says why: ask for one that has
                with closing(self.client.get_object(self.name, key, length=1)):
                    raise
            if error.code != "NoSuchKey":
                raise
            return None

    def _explained(self, verb: str, key: str) -> AbstractContextManager[None]:
        return explained(f"{verb} {self.url(key)}", self.endpoint)


def open_bucket(name: str, settings: Settings) -> Bucket:
    """Return a bucket of the endpoint in the settings; nothing is connected yet.

    Raises: StorageError, where the settings name no endpoint or keys.
    """
    missing = [field for field in ("s3_endpoint", "s3_access_key", "s3_secret_key") if not getattr(settings, field)]
    if missing or settings.s3_endpoint is None:
        names = ", ".join(f"JAMDUB_{field.upper()}" for field in missing)
        raise StorageError(f"s3://{name} needs {names}: set them (docs/storage.md)")
    client = _client(settings.s3_endpoint, settings)
    public = settings.s3_public_endpoint
    return Bucket(name, settings.s3_endpoint, client, client if public is None else _client(public, settings))


def _client(endpoint: str, settings: Settings) -> Minio:
    url, secret = urlsplit(endpoint), settings.s3_secret_key
    return Minio(
        url.netloc,
        settings.s3_access_key,
        None if secret is None else secret.get_secret_value(),
        secure=url.scheme == "https",
        region=settings.s3_region,
        http_client=_http_client(),
    )


def split_s3_url(url: str) -> tuple[str, str]:
    """Split `s3://bucket/key` into bucket and key; the key may be empty and is taken as it is written.

    Raises: StorageError, where the bucket's name or the key cannot be one.
    """
    name, _, key = url.removeprefix("s3://").partition("/")
    parts = key.rstrip("/").split("/") if key.rstrip("/") else []
    if not BUCKET_NAME.fullmatch(name):
        raise StorageError("an s3 URL has no such bucket name: write s3://bucket/key, without keys, host or port")
    if any(part in ("", ".", "..") for part in parts) or not key.isprintable():
        raise StorageError(f"the key of s3://{name}/{key!r} leaves its folder or is not printable: write another")
    return name, "/".join(parts)


def _stored(found: Object) -> Stored:
    modified_at = found.last_modified or datetime.now(UTC)
    return Stored(found.object_name or "", found.size or 0, modified_at, found.etag or "")


def _http_client() -> PoolManager:
    retries = Retry(
        ATTEMPTS,
        redirect=False,
        status_forcelist=(429, 500, 502, 503, 504),
        allowed_methods=None,
        backoff_factor=BACKOFF_S,
        backoff_jitter=BACKOFF_S,
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    return PoolManager(
        maxsize=10,
        timeout=Timeout(connect=CONNECT_S, read=READ_S),
        retries=retries,
        cert_reqs="CERT_REQUIRED",
        ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
    )
