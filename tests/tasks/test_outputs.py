"""Outputs of a command never replace what they should not."""

from pathlib import Path

import pytest

from schemas.errors import RequestError
from tasks.outputs import check_outputs, prepare_folders, receipt_path, record, record_file


def test_an_output_never_replaces_its_input(tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"source")
    (tmp_path / "b.mp4").symlink_to(video)
    with pytest.raises(RequestError, match="its own input"):
        check_outputs([tmp_path / "b.mp4"], [video], overwrite=True)


def test_what_is_there_is_kept_unless_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"precious")
    with pytest.raises(RequestError, match=r"a\.wav is already there; pass --overwrite"):
        check_outputs([tmp_path / "a.wav"], [], overwrite=False)
    check_outputs([tmp_path / "a.wav"], [], overwrite=True)
    with pytest.raises(RequestError, match="is a folder"):
        check_outputs([tmp_path], [], overwrite=True)
    with pytest.raises(RequestError, match="two outputs"):
        check_outputs([tmp_path / "c.wav", tmp_path / "c.wav"], [], overwrite=True)


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(RequestError, match="cannot write there"):
        prepare_folders([tmp_path / "out" / "a.wav"])


def test_receipts_lie_beside_their_output_and_name_it_by_hash(tmp_path: Path) -> None:
    assert receipt_path(tmp_path / "a.b.wav") == tmp_path / "a.b.receipt.json"
    (tmp_path / "a.wav").write_bytes(b"speech")
    assert record_file(tmp_path / "a.wav") == record("a.wav", b"speech")
