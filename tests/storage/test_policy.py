"""The policy that deploy/ gives to a worker's key: all that jamdub does, and no more."""

import io
import json
import os
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from minio import Minio
from minio.error import S3Error

from examples.topology.s3 import S3Server
from schemas.errors import RequestError
from schemas.settings import Settings
from storage.bucket import PART_BYTES
from storage.named import open_named
from storage.objects import open_store
from storage.places import fetch, open_file, prepare_folder
from tests.storage.conftest import s3_settings

POLICY = Path(__file__).resolve().parents[2] / "deploy" / "minio" / "worker-policy.json"
OTHER = "another-bucket"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A server whose worker has the documented policy, with an object in every place."""
    with S3Server(tmp_path_factory.mktemp("policy"), policy=POLICY.read_text()) as server:
        admin = server.client(server.admin)
        admin.make_bucket(OTHER)
        for bucket, key in (
            *((server.bucket, f"{folder}/a") for folder in ("store", "in", "out", "else")),
            (OTHER, "a"),
        ):
            admin.put_object(bucket, key, io.BytesIO(b"a"), 1)
        yield server


@pytest.fixture
def settings(server: S3Server, tmp_path: Path) -> Settings:
    return s3_settings(server, server.worker, tmp_path / "home", store_url=f"s3://{server.bucket}/store")


def test_the_store_does_all_it_can(
    settings: Settings, server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, later = open_store(settings), datetime.now(UTC) + timedelta(minutes=1)
    (tmp_path / "large").write_bytes(os.urandom(PART_BYTES + 5))
    ref = store.put_file(tmp_path / "large", "video/mp4")
    elsewhere = open_store(s3_settings(server, server.worker, tmp_path / "two", store_url=settings.store_url))
    assert elsewhere.local_path(ref).stat().st_size == PART_BYTES + 5
    monkeypatch.setattr("storage.s3.RENEWED_AFTER", timedelta(0))
    assert store.put_file(tmp_path / "large", "video/mp4") == ref
    assert store.has(ref) and store.link(ref, 60)
    assert ref.sha256 in {item.sha256 for item in store.list()}
    assert store.remove(ref.sha256, later) and not store.has(ref)
    results = open_named(settings, "results")
    results.write("mix-v1", b"{}")
    assert results.read("mix-v1") == b"{}" and [name for name, _ in results.list()] == ["mix-v1"]
    results.remove("mix-v1")


def test_inputs_are_read_and_outputs_are_written(settings: Settings, server: S3Server) -> None:
    assert fetch(f"s3://{server.bucket}/in/a", settings).read_bytes() == b"a"
    folder = f"s3://{server.bucket}/out/{secrets.token_hex(6)}"
    prepare_folder(folder, settings)
    file = open_file(f"{folder}/talk.es.srt", settings)
    assert file.size_bytes() is None
    file.write(b"1")
    assert file.read() == b"1"
    file.remove()
    with pytest.raises(RequestError, match="not allowed to"):
        prepare_folder(f"s3://{server.bucket}/in", settings)


FORBIDDEN: dict[str, Callable[[Minio, str], object]] = {
    "write an input": lambda client, bucket: client.put_object(bucket, "in/a", io.BytesIO(b"b"), 1),
    "remove an input": lambda client, bucket: client.remove_object(bucket, "in/a"),
    "read elsewhere": lambda client, bucket: client.get_object(bucket, "else/a"),
    "write elsewhere": lambda client, bucket: client.put_object(bucket, "else/a", io.BytesIO(b"b"), 1),
    "remove elsewhere": lambda client, bucket: client.remove_object(bucket, "else/a"),
    "read another bucket": lambda client, _: client.get_object(OTHER, "a"),
    "list another bucket": lambda client, _: list(client.list_objects(OTHER)),
    "write to another bucket": lambda client, _: client.put_object(OTHER, "a", io.BytesIO(b"b"), 1),
    "make a bucket": lambda client, _: client.make_bucket("a-third-bucket"),
    "remove a bucket": lambda client, _: client.remove_bucket(OTHER),
    "give itself rights": lambda client, bucket: client.set_bucket_policy(bucket, json.dumps({"Statement": []})),
    "change what expires": lambda client, bucket: client.delete_bucket_lifecycle(bucket),
}


@pytest.mark.parametrize("deed", FORBIDDEN)
def test_nothing_else_is_allowed(server: S3Server, deed: str) -> None:
    with pytest.raises(S3Error, match="AccessDenied"):
        FORBIDDEN[deed](server.client(server.worker), server.bucket)
