"""Outputs of a command never replace what they should not, on a disk and in a bucket."""

import io
from pathlib import Path

import pytest

from examples.topology.s3 import S3Server
from schemas.errors import RequestError
from schemas.settings import Settings
from storage.places import folder_of
from tasks.outputs import check_outputs, prepare_folders, receipt_place, record, record_file
from tests.storage.conftest import s3_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def test_an_output_never_replaces_its_input(settings: Settings, tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"source")
    (tmp_path / "b.mp4").symlink_to(video)
    with pytest.raises(RequestError, match="its own input"):
        check_outputs([f"{tmp_path}/b.mp4"], [str(video)], settings, overwrite=True)


def test_what_is_there_is_kept_unless_overwritten(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"precious")
    with pytest.raises(RequestError, match=r"a\.wav is already there; pass --overwrite"):
        check_outputs([f"{tmp_path}/a.wav"], [], settings, overwrite=False)
    check_outputs([f"{tmp_path}/a.wav"], [], settings, overwrite=True)
    with pytest.raises(RequestError, match="is a folder"):
        check_outputs([str(tmp_path)], [], settings, overwrite=True)
    with pytest.raises(RequestError, match="two outputs"):
        check_outputs([f"{tmp_path}/c.wav", f"{tmp_path}/./c.wav"], [], settings, overwrite=True)


def test_the_same_in_a_bucket(s3_server: S3Server, tmp_path: Path) -> None:
    settings, there = s3_settings(s3_server, s3_server.worker, tmp_path / "home"), "s3://jamdub/in/a.wav"
    s3_server.client(s3_server.admin).put_object(s3_server.bucket, "in/a.wav", io.BytesIO(b"a"), 1)
    with pytest.raises(RequestError, match="its own input"):
        check_outputs([there], [there], settings, overwrite=True)
    with pytest.raises(RequestError, match=r"s3://jamdub/in/a\.wav is already there"):
        check_outputs([there], [], settings, overwrite=False)
    with pytest.raises(RequestError, match="is a folder"):
        check_outputs(["s3://jamdub/in/"], [], settings, overwrite=True)
    check_outputs([there, receipt_place(there)], ["s3://jamdub/in/b.wav"], settings, overwrite=True)


def test_a_folder_that_is_a_file_is_told(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(RequestError, match="cannot write there"):
        prepare_folders([f"{tmp_path}/out/a.wav"], settings)


@pytest.mark.parametrize(
    ("out", "receipt", "folder"),
    [
        ("/o/a.b.wav", "/o/a.b.receipt.json", "/o"),
        ("a.wav", "a.receipt.json", "."),
        ("/a.wav/", "/a.receipt.json", "/"),
        ("s3://b/a.wav", "s3://b/a.receipt.json", "s3://b"),
        ("s3://b/o.x/a.wav", "s3://b/o.x/a.receipt.json", "s3://b/o.x"),
    ],
)
def test_receipts_lie_beside_their_output(out: str, receipt: str, folder: str) -> None:
    assert (receipt_place(out), folder_of(out)) == (receipt, folder)


def test_files_are_named_by_hash(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"speech")
    assert record_file(tmp_path / "a.wav") == record("a.wav", b"speech")
