"""Deliverables are written whole or not at all, and never over someone else's."""

from pathlib import Path

import pytest

from schemas.dub import DubRequest
from schemas.errors import RequestError, StorageError
from tasks.deliver import check_output, output_paths, prepare_output, same_request, write_whole


def request_for(folder: Path, **changes: object) -> DubRequest:
    return DubRequest.model_validate(
        {"video": "clip.mp4", "target_language": "es", "output_dir": str(folder), **changes}
    )


def test_an_output_of_another_request_is_refused_unless_overwritten(tmp_path: Path) -> None:
    paths = output_paths(request_for(tmp_path), ".mp4")
    paths["video"].write_bytes(b"precious")
    with pytest.raises(RequestError, match=r"already there.*--overwrite"):
        check_output(request_for(tmp_path), ".mp4")
    check_output(request_for(tmp_path, overwrite=True), ".mp4")
    assert paths["video"].read_bytes() == b"precious"


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(RequestError, match="cannot write there"):
        prepare_output(request_for(tmp_path / "out"))


def test_the_source_is_never_the_target(tmp_path: Path) -> None:
    source = tmp_path / "clip.mp4"
    source.write_bytes(b"source")
    (tmp_path / "clip.es.mp4").symlink_to(source)
    with pytest.raises(RequestError, match="its own source"):
        check_output(request_for(tmp_path, video=str(source), overwrite=True), ".mp4")


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "a.srt"
    target.mkdir()
    with pytest.raises(StorageError, match="nothing is lost"):
        write_whole(target, b"new")
    assert list(tmp_path.iterdir()) == [target]


def test_where_it_goes_does_not_change_what_is_asked(tmp_path: Path) -> None:
    assert same_request(request_for(tmp_path), request_for(tmp_path / "b", overwrite=True))
    assert not same_request(request_for(tmp_path), request_for(tmp_path, seed=1))
