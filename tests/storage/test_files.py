"""Files that users name: paths and s3:// alike, whole or not at all, and nothing that leads elsewhere."""

import os
import secrets
from pathlib import Path

import pytest

from examples.topology.proxy import Fault, FaultyProxy
from examples.topology.s3 import S3Server
from schemas.errors import JamdubError, RequestError, StorageError
from schemas.settings import Settings
from storage.files import BucketFile, write_whole
from storage.places import fetch, join, open_file
from tests.storage.conftest import s3_settings


@pytest.fixture
def settings(s3_server: S3Server, tmp_path: Path) -> Settings:
    return s3_settings(s3_server, s3_server.worker, tmp_path / "home")


@pytest.fixture(params=["folder", "bucket"])
def folder(request: pytest.FixtureRequest, s3_server: S3Server, tmp_path: Path) -> str:
    return str(tmp_path) if request.param == "folder" else f"s3://{s3_server.bucket}/{secrets.token_hex(6)}"


def test_what_is_written_is_read(folder: str, settings: Settings, tmp_path: Path) -> None:
    file = open_file(join(folder, "a name's 100% ü.mp4"), settings)
    assert file.size_bytes() is None
    with pytest.raises(StorageError):
        file.read()
    file.write(b"old")
    (tmp_path / "source").write_bytes(os.urandom(3 << 20))
    file.copy_from(tmp_path / "source")
    assert file.size_bytes() == 3 << 20
    assert file.read() == (tmp_path / "source").read_bytes() == fetch(file.place, settings).read_bytes()
    assert fetch(file.place, settings).name == "a name's 100% ü.mp4"
    file.remove()
    file.remove()
    assert file.size_bytes() is None


def test_an_input_is_fetched_once_for_each_version(s3_server: S3Server, settings: Settings) -> None:
    url = f"s3://{s3_server.bucket}/in/{secrets.token_hex(6)}/talk.mp4"
    open_file(url, settings).write(b"first")
    copy = fetch(url, settings)
    inode = copy.stat().st_ino
    assert fetch(url, settings).stat().st_ino == inode
    open_file(url, settings).write(b"other")
    assert (fetch(url, settings).read_bytes(), copy.read_bytes()) == (b"other", b"first")


def test_an_input_that_is_replaced_meanwhile_is_not_mixed(s3_server: S3Server, settings: Settings) -> None:
    url = f"s3://{s3_server.bucket}/in/{secrets.token_hex(6)}/talk.mp4"
    open_file(url, settings).write(os.urandom(4 << 20))
    with FaultyProxy(s3_server.ports[0]) as proxy:
        there = settings.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{proxy.port}"})
        proxy.faults.append(Fault(cut_after_bytes=2 << 20))
        file = open_file(url, there)
        assert isinstance(file, BucketFile)
        chunks = file.bucket.read(file.key)
        next(chunks)
        open_file(url, settings).write(os.urandom(4 << 20))
        with pytest.raises(StorageError, match="replaced while it was being read"):
            list(chunks)


def test_an_input_that_is_not_there_or_too_large_is_refused(s3_server: S3Server, settings: Settings) -> None:
    url = f"s3://{s3_server.bucket}/{secrets.token_hex(6)}.mp4"
    for missing in (url, f"s3://{s3_server.bucket}", f"s3://{s3_server.bucket}/"):
        with pytest.raises(RequestError, match="does not exist"):
            fetch(missing, settings)
    open_file(url, settings).write(b"12345")
    with pytest.raises(RequestError, match=r"5 bytes.*4.*JAMDUB_MAX_UPLOAD_BYTES"):
        fetch(url, settings.model_copy(update={"max_upload_bytes": 4}))


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://user:secret@host/talk.mp4",
        "ftp://host/talk.mp4",
        "file:///etc/passwd",
        "file:/etc/passwd",
        "data:text/plain,secret",
        "gopher://host/secret",
        "S3://bucket/key",
        "s3://bucket/../secret-bucket/key",
        "s3://bucket/in/../../key",
        "s3://bucket/in/./key",
        "s3://bucket//key",
        "s3://bucket/in/a\0b",
        "s3://bucket/in/a\nb",
        "s3://key:secret@bucket/a",
        "s3://127.0.0.1:9000/a",
        "s3:///key",
        "talk\0.mp4",
    ],
)
def test_what_leads_elsewhere_is_refused(url: str, settings: Settings) -> None:
    with pytest.raises(RequestError) as caught:
        fetch(url, settings)
    assert "secret@" not in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(RequestError):
        open_file(url, settings)


def test_a_root_holds_paths_inside(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "in").mkdir(parents=True)
    (root / "link").symlink_to("/etc")
    (root / "in" / "talk.mp4").write_bytes(b"")
    settings = Settings(home=tmp_path / "home", files_root=root)
    assert fetch(str(root / "in" / "talk.mp4"), settings) == root / "in" / "talk.mp4"
    for outside in ("/etc/passwd", f"{root}/../other", f"{root}/link/passwd", "talk.mp4", f"{root}-beside/a"):
        with pytest.raises(RequestError, match="JAMDUB_FILES_ROOT"):
            fetch(outside, settings)


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "a.srt"
    target.mkdir()
    with pytest.raises(StorageError, match="nothing is lost"):
        write_whole(target, b"new")
    assert list(tmp_path.iterdir()) == [target]


def test_a_bucket_without_an_endpoint_names_the_settings(tmp_path: Path) -> None:
    with pytest.raises(JamdubError, match="JAMDUB_S3_ENDPOINT"):
        fetch("s3://bucket/talk.mp4", Settings(home=tmp_path))


@pytest.mark.slow
def test_no_copy_is_left_of_what_could_not_be_fetched(s3_server: S3Server, settings: Settings) -> None:
    url = f"s3://{s3_server.bucket}/in/{secrets.token_hex(6)}/talk.mp4"
    open_file(url, settings).write(os.urandom(3 << 20))
    with FaultyProxy(s3_server.ports[0]) as proxy:
        there = settings.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{proxy.port}"})
        proxy.faults.extend([Fault(cut_after_bytes=1 << 20)] + [Fault(status=500)] * 10)
        with pytest.raises(StorageError, match="cannot read s3://"):
            fetch(url, there)
    assert [path for path in settings.cache_dir.rglob("*.mp4") if path.is_file()] == []
    assert [path for path in settings.cache_dir.rglob("*.part") if path.is_file()] == []
