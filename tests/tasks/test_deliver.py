"""Deliverables never go over someone else's, in a folder and in a bucket alike."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.topology.s3 import S3Server
from schemas.dub import DubRequest
from schemas.errors import RequestError
from tasks.deliver import check_output, output_files, prepare_output, same_request
from tasks.workplace import Workplace, open_workplace


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.setenv("JAMDUB_HOME", str(tmp_path / "home"))
    return open_workplace()


@pytest.fixture(params=["folder", "bucket"])
def out(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty folder of a disk, and one of a bucket."""
    if request.param == "folder":
        (tmp_path / "out").mkdir()
        yield str(tmp_path / "out")
        return
    server: S3Server = request.getfixturevalue("s3_server")
    for name, value in server.environment(server.worker).items():
        monkeypatch.setenv(name, value)
    yield f"s3://{server.bucket}/out/{secrets.token_hex(6)}"


def request_for(folder: str, **changes: object) -> DubRequest:
    return DubRequest.model_validate({"video": "clip.mp4", "target_language": "es", "output_dir": folder, **changes})


def test_an_output_of_another_request_is_refused_unless_overwritten(out: str, place: Workplace) -> None:
    check_output(request_for(out), ".mp4", place)
    video = output_files(request_for(out), ".mp4", place)["video"]
    video.write(b"precious")
    with pytest.raises(RequestError, match=r"already there.*--overwrite"):
        check_output(request_for(out), ".mp4", place)
    check_output(request_for(out, overwrite=True), ".mp4", place)
    assert video.read() == b"precious"


def test_a_folder_that_can_be_written_to_is_left_empty(out: str, place: Workplace) -> None:
    prepare_output(request_for(f"{out}/deeper/"), place)
    check_output(request_for(f"{out}/deeper/"), ".mp4", place)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path, place: Workplace) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(RequestError, match="cannot write there"):
        prepare_output(request_for(str(tmp_path / "out")), place)


def test_a_key_that_may_only_read_is_refused_before_the_work(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (s3_server.environment(s3_server.reader) | {"JAMDUB_HOME": str(tmp_path)}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RequestError, match=r"not allowed to.*another --out"):
        prepare_output(request_for(f"s3://{s3_server.bucket}/out"), open_workplace())


def test_the_source_is_never_the_target(tmp_path: Path, place: Workplace) -> None:
    source = tmp_path / "clip.mp4"
    source.write_bytes(b"source")
    (tmp_path / "clip.es.mp4").symlink_to(source)
    with pytest.raises(RequestError, match="its own source"):
        check_output(request_for(str(tmp_path), video=str(source), overwrite=True), ".mp4", place)


def test_where_it_goes_does_not_change_what_is_asked() -> None:
    assert same_request(request_for("a"), request_for("b", overwrite=True))
    assert not same_request(request_for("a"), request_for("a", seed=1))
