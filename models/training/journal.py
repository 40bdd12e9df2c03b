"""metrics.jsonl: one JSON object for each step of a training."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

METRICS_FILE = "metrics.jsonl"
ACCOUNTS = frozenset({"step", "seconds", "cpu_seconds", "frames", "frames_per_s"})
"""What a line holds besides losses and the like: how far the training is, and what it cost."""


class Journal:
    """Appends lines; first cuts away those of steps beyond `step`, and a last line that is not whole."""

    def __init__(self, path: Path, step: int) -> None:
        size = _size_until(path, step)
        self._file = path.open("ab")
        self._file.truncate(size)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def append(self, line: Mapping[str, float]) -> None:
        """Write a line; others see it at once."""
        self._file.write(json.dumps(line, allow_nan=False).encode() + b"\n")
        self._file.flush()

    def sync(self) -> None:
        """Wait until the disk has it all, so that a checkpoint never knows of more steps than the file does."""
        os.fsync(self._file.fileno())


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Read the lines; one that is still being written is left out."""
    return [line for line, _ in _lines(path)]


def _size_until(path: Path, step: int) -> int:
    size = 0
    for line, size_with_it in _lines(path):
        if line["step"] > step:
            break
        size = size_with_it
    return size


def _lines(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """Whole lines, each with the file's size at its end."""
    if not path.is_file():
        return
    size = 0
    with path.open("rb") as file:
        for written in file:
            size += len(written)
            if not written.endswith(b"\n"):
                return
            yield json.loads(written), size
