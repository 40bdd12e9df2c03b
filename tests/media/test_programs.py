"""Programs under limits, with real ones: time, memory, and none that outlives us."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from media.programs import run
from media.tools import Tools, find_tools, run_ffmpeg
from schemas.errors import ToolError
from tests.media.conftest import is_gone

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(sys.executable)
ENDLESS = ["-re", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25", "-f", "null", "-"]
ENCODE_FOR_EVER = (
    "import signal, sys, threading\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # who runs in the background ignores it
    "from media.tools import find_tools, run_ffmpeg\n"
    "def encode(): run_ffmpeg(find_tools(), {args!r})\n"
    "{how}\n"
)
IN_MAIN, IN_THREAD = "encode()", "thread = threading.Thread(target=encode); thread.start(); thread.join()"
IN_FLOW = (
    "from prefect import flow\n"
    "from tasks.stage import stage_task\n"
    "stage = stage_task('long', version=1)(encode)\n"
    "@flow\n"
    "def long(): stage()\n"
    "long()"
)


def test_memory_is_limited() -> None:
    run(PYTHON, ["-c", "bytearray(10**8)"], timeout_s=30, memory_bytes=10**9)
    with pytest.raises(ToolError, match=r"more than 1 GB of memory.*JAMDUB_TOOL_MEMORY_BYTES"):
        run(PYTHON, ["-c", "bytearray(2 * 10**9)"], timeout_s=30, memory_bytes=10**9)


def test_ffmpeg_is_limited_too(tools: Tools) -> None:
    small = Tools(tools.ffmpeg, tools.ffprobe, 60, 1_000_000_000)
    vast = ["-f", "lavfi", "-i", "color=size=16000x16000:rate=1:duration=1,format=yuv444p", "-f", "null", "-"]
    with pytest.raises(ToolError, match="more than 1 GB of memory"):
        run_ffmpeg(small, vast)


def test_ffmpeg_works_within_the_default(tools: Tools) -> None:
    picture = ["-f", "lavfi", "-i", "testsrc2=size=3840x2160:rate=25:duration=0.2"]
    run_ffmpeg(tools, [*picture, "-c:v", "libx264", "-preset", "veryfast", "-f", "null", "-"])


def test_no_core_is_dumped() -> None:
    told = run(PYTHON, ["-c", "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"], timeout_s=30)
    assert told.strip() == b"(0, 0)"


@pytest.mark.parametrize("how", [IN_MAIN, IN_THREAD], ids=["main thread", "other thread"])
def test_ffmpeg_dies_with_us_by_kill_9(how: str, started: Callable[[str], "subprocess.Popen[bytes]"]) -> None:
    ours = started(how)
    program = program_of(ours)
    ours.kill()
    assert is_gone(program)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_ffmpeg_dies_when_we_are_stopped(by: int, started: Callable[[str], "subprocess.Popen[bytes]"]) -> None:
    ours = started(IN_MAIN)
    program = program_of(ours)
    ours.send_signal(by)
    assert is_gone(program)
    ours.wait(10)


@pytest.mark.slow
def test_ffmpeg_dies_with_its_flow(
    started: Callable[[str], "subprocess.Popen[bytes]"], prefect_api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prefect's worker cancels a run by SIGTERM to the flow's process."""
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    ours = started(IN_FLOW)
    program = program_of(ours, seconds=120)
    ours.terminate()
    assert is_gone(program)
    ours.wait(60)


@pytest.fixture
def started(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Start Python processes, each of which runs an ffmpeg without end."""
    running: list[subprocess.Popen[bytes]] = []
    mine = {"PYTHONPATH": str(ROOT), "JAMDUB_HOME": str(tmp_path), "PREFECT_HOME": str(tmp_path / "prefect")}

    def start(how: str) -> subprocess.Popen[bytes]:
        code = ENCODE_FOR_EVER.format(args=ENDLESS, how=how)
        ours = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **mine}, stderr=subprocess.DEVNULL)
        running.append(ours)
        return ours

    yield start
    for ours in running:
        ours.kill()
        ours.wait()


def program_of(ours: "subprocess.Popen[bytes]", seconds: float = 30) -> int:
    """The number of the ffmpeg that a process has started."""
    name, deadline = find_tools().ffmpeg.name, time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert ours.poll() is None
        for task in Path(f"/proc/{ours.pid}/task").glob("*/children"):
            for child in map(int, task.read_text().split()):
                command = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
                if Path(command[0].decode()).name == name:
                    return child
        time.sleep(0.05)
    raise AssertionError("it starts no ffmpeg")


def test_a_shell_that_pipes_reaches_its_end(tmp_path: Path) -> None:
    """Apertium is a shell script of a dozen programs."""
    shell = shutil.which("sh")
    assert shell is not None
    script = tmp_path / "pipe.sh"
    script.write_text("tr a-z A-Z | rev | rev\n")
    assert run(Path(shell), [str(script)], timeout_s=30, stdin=b"hola\n") == b"HOLA\n"
