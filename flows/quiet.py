"""Keep what native libraries write to standard error off the terminal, in a log file instead."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console


@contextmanager
def quiet_stderr(log: Path) -> Iterator[Console]:
    """Point file descriptor 2 at `log` while the block runs; the console it yields still reaches the terminal.

    Libraries in C++ (mediapipe, TensorFlow Lite) and child processes write there directly: no Python setting
    silences them, and what they say tears the live display.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    terminal = os.dup(2)
    with log.open("ab") as file, os.fdopen(terminal, "w", closefd=False) as screen:
        os.dup2(file.fileno(), 2)
        try:
            yield Console(file=screen, force_terminal=os.isatty(terminal) or None)
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            screen.flush()
    os.close(terminal)
