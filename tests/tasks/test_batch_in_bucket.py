"""A batch from a bucket: listed as a folder is, and hashed without being fetched again."""

import secrets
import shutil
from pathlib import Path

import pytest

from examples.topology.s3 import S3Server
from schemas.batch import BatchRequest
from schemas.errors import RequestError
from schemas.settings import Settings
from storage.places import join, open_file
from tasks.content import file_sha256
from tasks.delivered import is_within
from tasks.manifest import list_items
from tasks.workplace import open_workplace
from tests.storage.conftest import s3_settings


@pytest.fixture
def settings(s3_server: S3Server, tmp_path: Path) -> Settings:
    return s3_settings(s3_server, s3_server.worker, tmp_path / "home")


@pytest.fixture
def prefix(s3_server: S3Server) -> str:
    return f"s3://{s3_server.bucket}/{secrets.token_hex(6)}/in"


def put(settings: Settings, folder: str, **files: bytes) -> None:
    for name, data in files.items():
        open_file(join(folder, name.replace("__", "/").replace("_", ".")), settings).write(data)


def test_a_prefix_is_a_folder(settings: Settings, prefix: str) -> None:
    put(settings, prefix, a_mp4=b"a", a_es_srt=b"hola", sub__b_mov=b"b", a_es_mp4=b"dub", a_es_receipt_json=b"{}")
    put(settings, prefix + "side", c_mp4=b"c")  # begins with the same letters, and is another folder
    first, second = list_items(BatchRequest(source=f"{prefix}/", languages=("es",)), settings)
    assert (first.title, first.request.video, first.request.script) == ("a/es", f"{prefix}/a.mp4", f"{prefix}/a.es.srt")
    assert (second.title, second.request.video, second.request.script) == ("sub-b/es", f"{prefix}/sub/b.mov", None)


def test_a_manifest_names_files_beside_itself(settings: Settings, prefix: str) -> None:
    put(settings, prefix, talks_csv=b"video,script\na.mp4,texts/{language}.srt\ns3://other/b.mp4,\n")
    first, second = list_items(BatchRequest(source=f"{prefix}/talks.csv", languages=("es",)), settings)
    assert (first.request.video, first.request.script) == (f"{prefix}/a.mp4", f"{prefix}/texts/es.srt")
    assert second.request.video == "s3://other/b.mp4"
    with pytest.raises(RequestError, match="does not exist"):
        list_items(BatchRequest(source=f"{prefix}/none.csv", languages=("es",)), settings)


def test_an_object_is_fetched_once_to_be_hashed_and_again_where_it_was_replaced(
    settings: Settings, prefix: str
) -> None:
    put(settings, prefix, a_mp4=b"first")
    one = file_sha256(f"{prefix}/a.mp4", settings)
    shutil.rmtree(settings.cache_dir)
    assert file_sha256(f"{prefix}/a.mp4", settings) == one
    assert not settings.cache_dir.exists(), "it was fetched again"
    put(settings, prefix, a_mp4=b"other")
    assert file_sha256(f"{prefix}/a.mp4", settings) != one
    with pytest.raises(RequestError, match="does not exist"):
        file_sha256(f"{prefix}/none.mp4", settings)


def test_folders_within_folders(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    for name in ("home", "store_url", "s3_endpoint", "s3_access_key"):
        monkeypatch.setenv(f"JAMDUB_{name.upper()}", str(getattr(settings, name)))
    assert settings.s3_secret_key is not None
    monkeypatch.setenv("JAMDUB_S3_SECRET_KEY", settings.s3_secret_key.get_secret_value())
    monkeypatch.chdir(tmp_path)
    place = open_workplace()
    assert is_within("s3://films/out/talk/es", "s3://films/out/", place) and is_within(
        "s3://films/out", "s3://films/out", place
    )
    assert is_within(str(tmp_path / "out" / "talk"), "out", place)
    assert not is_within("s3://films/outside/talk", "s3://films/out", place)
    assert not is_within("s3://films/out/talk", "out", place)
