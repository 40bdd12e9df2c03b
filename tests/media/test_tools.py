import sys
from pathlib import Path

import pytest

from media.programs import run
from media.tools import Tools, find_tools, input_name, run_ffmpeg
from schemas.errors import RequestError, StorageError, ToolError
from tests.media.conftest import is_gone

PYTHON = Path(sys.executable)


def test_both_programs_are_found(tools: Tools) -> None:
    assert b"ffmpeg version" in run(tools.ffmpeg, ["-version"], timeout_s=30)
    assert b"ffprobe version" in run(tools.ffprobe, ["-version"], timeout_s=30)


def test_a_given_path_goes_first(tools: Tools) -> None:
    assert find_tools(ffmpeg=tools.ffprobe).ffmpeg == tools.ffprobe


def test_a_given_path_must_be_a_program(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="JAMDUB_FFMPEG"):
        find_tools(ffmpeg=tmp_path)


def test_input_goes_in_and_output_comes_out() -> None:
    echo = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
    assert run(PYTHON, ["-c", echo], timeout_s=30, stdin=bytes(range(256))) == bytes(range(256))


def test_a_failure_tells_the_last_line() -> None:
    with pytest.raises(ToolError, match=r"failed with code 3: the reason"):
        run(PYTHON, ["-c", "import sys; print('noise\\nthe reason\\n', file=sys.stderr); sys.exit(3)"], timeout_s=30)


def test_a_program_that_cannot_start_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot be run"):
        run(tmp_path / "absent", [], timeout_s=1)


def test_time_out_kills_children_too(tmp_path: Path) -> None:
    note = tmp_path / "child"
    script = (
        "import subprocess, sys, time, pathlib;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "pathlib.Path(sys.argv[1]).write_text(str(child.pid)); time.sleep(60)"
    )
    with pytest.raises(ToolError, match="longer than 2 s"):
        run(PYTHON, ["-c", script, str(note)], timeout_s=2)
    assert is_gone(int(note.read_text()))


def test_a_full_disk_is_a_storage_error(tools: Tools) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    noise = ["-f", "lavfi", "-i", "sine=duration=5", "-f", "wav", input_name(full)]
    with pytest.raises(StorageError, match=r"disk is full while writing to /dev"):
        run_ffmpeg(tools, noise, writes_to=full)


def test_input_names_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert input_name(Path("-y")) == f"file:{tmp_path}/-y"
