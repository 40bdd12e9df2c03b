"""Stop Prefect servers that a killed run has left behind."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

PROCESSES = Path("/proc")
_INIT = 1


def stop_orphaned_servers(prefect_home: Path) -> int:
    """Stop embedded servers of this home whose run is gone (kill -9 leaves them); returns how many.

    A server whose parent still lives belongs to a run beside this one and is left alone.
    """
    orphans = list(_orphans(prefect_home))
    for process_id in orphans:
        os.kill(process_id, signal.SIGTERM)
    return len(orphans)


def _orphans(prefect_home: Path) -> Iterator[int]:
    marks = {b"PREFECT__SERVER_EPHEMERAL=1", f"PREFECT_HOME={prefect_home}".encode()}
    for folder in PROCESSES.glob("[0-9]*"):
        try:
            is_ours = marks <= set((folder / "environ").read_bytes().split(b"\0"))
            if is_ours and _parent(folder) == _INIT:
                yield int(folder.name)
        except (OSError, ValueError):  # it ended meanwhile, or belongs to someone else
            continue


def _parent(folder: Path) -> int:
    """The parent's number: the second field after the command's name, which may hold anything, in brackets."""
    return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
