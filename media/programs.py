"""Run external programs under limits: argument lists, time, memory, and never longer than we live ourselves."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import StorageError, ToolError

MEMORY_BYTES = 8_000_000_000
DISK_FULL = "No space left on device"
_OUT_OF_MEMORY = ("Cannot allocate memory", "MemoryError", "bad_alloc", "malloc of size", "pthread_create() failed")
_CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True)
class Ended:
    """A program that came to its own end; `code` is negative where a signal killed it."""

    code: int
    stdout: bytes
    stderr: str


def run(
    tool: Path,
    args: Sequence[str],
    *,
    timeout_s: float,
    memory_bytes: int = MEMORY_BYTES,
    stdin: bytes | None = None,
    writes_to: Path | None = None,
) -> bytes:
    """Run a program to its end and return its standard output.

    Args:
        memory_bytes: Of address space; see `complete`.
        writes_to: The file or folder being written, named in the error where its disk is full.

    Raises: ToolError with the last line of standard error; StorageError where the disk is full.
    """
    ended = complete(tool, args, timeout_s=timeout_s, memory_bytes=memory_bytes, stdin=stdin)
    if ended.code != 0:
        _raise_failure(tool, ended, memory_bytes, writes_to)
    return ended.stdout


def complete(
    tool: Path,
    args: Sequence[str],
    *,
    timeout_s: float,
    memory_bytes: int = MEMORY_BYTES,
    stdin: bytes | None = None,
    folder: Path | None = None,
) -> Ended:
    """Run a program to its end, however it ends.

    It gets a process group of its own, which is killed on a time-out, an interrupt or a cancellation. Where this
    process is killed, or the thread that waits here ends, the kernel kills the program too (not its children).

    Args:
        memory_bytes: Of address space, reserved or used.
        folder: Where it runs; None: where we do.

    Raises: ToolError where it cannot be started or takes too long.
    """
    limited = [sys.executable, "-I", "-S", str(_CHILD), str(os.getpid()), str(memory_bytes)]
    try:
        process = subprocess.Popen(
            [*limited, str(tool), *args],
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            cwd=folder,
        )
    except OSError as error:
        raise ToolError(f"{tool} cannot be run: {error.strerror}: reinstall it") from error
    try:
        stdout, stderr = process.communicate(stdin, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise ToolError(
            f"{tool.name} took longer than {timeout_s:g} s and was stopped: give it less to do, or raise "
            "JAMDUB_TOOL_TIMEOUT_S where it is ffmpeg"
        ) from error
    finally:
        if process.poll() is None:
            _kill_group(process)
    return Ended(process.returncode, stdout, stderr.decode(errors="replace"))


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


def _raise_failure(tool: Path, ended: Ended, memory_bytes: int, writes_to: Path | None) -> None:
    if DISK_FULL in ended.stderr:
        folder = (
            "the output folder" if writes_to is None else str(writes_to if writes_to.is_dir() else writes_to.parent)
        )
        raise StorageError(f"the disk is full while writing to {folder}: free some space and run again")
    if any(sign in ended.stderr for sign in _OUT_OF_MEMORY):
        raise ToolError(
            f"{tool.name} asked for more than {memory_bytes / 1e9:g} GB of memory: is the file what it claims to be? "
            "If so, raise JAMDUB_TOOL_MEMORY_BYTES"
        )
    cause = f"was killed by signal {-ended.code}" if ended.code < 0 else f"failed with code {ended.code}"
    raise ToolError(f"{tool.name} {cause}: {last_words(ended.stderr)}")
