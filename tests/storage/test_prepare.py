"""A store is made ready before anyone relies on it."""

from pathlib import Path

import pytest

from examples.topology.s3 import S3Server
from schemas.errors import StorageError
from schemas.settings import Settings
from storage.prepare import prepare_store


def _settings(server: S3Server, key: str, bucket: str, home: Path) -> Settings:
    own = getattr(server, key)
    return Settings(
        home=home, store_url=f"s3://{bucket}/assets", s3_endpoint=server.url, s3_access_key=own.access,
        s3_secret_key=own.secret,
    )  # fmt: skip


def test_a_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    prepare_store(settings)
    prepare_store(settings)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_missing_bucket_is_made_by_who_may(s3_server: S3Server, tmp_path: Path) -> None:
    settings = _settings(s3_server, "admin", "made-by-setup", tmp_path)
    prepare_store(settings)
    prepare_store(settings)
    client = s3_server.client(s3_server.admin)
    assert client.bucket_exists("made-by-setup")
    assert list(client.list_objects("made-by-setup", recursive=True)) == []


def test_a_key_that_only_reads_is_found_out_at_once(s3_server: S3Server, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot write s3://jamdub/assets/setup/.*not allowed"):
        prepare_store(_settings(s3_server, "reader", "jamdub", tmp_path))
