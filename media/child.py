"""Run as a script: become another program that dies with its parent and may not take more memory than it is given.

Called as `python -I -S child.py PARENT_PID MEMORY_BYTES PROGRAM ARGUMENT…`. What it sets outlives `exec`; setting it
between `fork` and `exec` of the parent instead is not safe, where the parent has threads (docs/adr/0016).
"""

import ctypes
import os
import resource
import signal
import sys

CANNOT_RUN = 127  # as shells say it
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(parent: int, memory_bytes: int, command: list[str]) -> None:
    """Set the limits and replace this process."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked to be told
        sys.exit(CANNOT_RUN)
    _lower(resource.RLIMIT_AS, memory_bytes)
    _lower(resource.RLIMIT_CORE, 0)  # a core dump would leave pieces of the user's media on the disk
    try:
        os.execv(command[0], command)
    except OSError as error:
        sys.stderr.write(f"cannot be run: {error.strerror}: reinstall it\n")
        sys.exit(CANNOT_RUN)


def _lower(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (allowed, allowed))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
