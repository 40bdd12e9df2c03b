"""One service: a program in its own process group that is started, awaited, stopped, killed and started again."""

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

READY_S = 90.0
STOP_S = 20.0
GROUP_S = 5.0
POLL_S = 0.05
PORTS = range(15_000, 32_000)
"""Below those that the kernel gives to outgoing connections, so that a service finds its port free again."""


class ServiceFailed(RuntimeError):
    """A service did not start; the message ends with the last lines of its log."""


@dataclass
class Service(ABC):
    """A program that serves one folder; use it as a context manager, or call start and stop.

    The same folder and ports serve a second start: what was stored is there again.
    """

    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @abstractmethod
    def command(self) -> list[str]:
        """The program and its arguments."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers a client."""

    def prepare(self) -> None:  # noqa: B027 (most need nothing)
        """Make what the program needs before its first start."""

    @property
    def env(self) -> Mapping[str, str]:
        """Variables of its own, besides those of whoever runs this."""
        return {}

    @property
    def stop_signal(self) -> signal.Signals:
        """What asks it to end."""
        return signal.SIGTERM

    @property
    def user(self) -> str | None:
        """Who runs the program; None: whoever runs this."""
        return None

    @property
    def log(self) -> Path:
        """What the program wrote, in all of its lives."""
        return self.folder / "service.log"

    def start(self) -> Self:
        """Start and wait until it answers. Raises: ServiceFailed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prepare()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, env={**os.environ, **self.env}, start_new_session=True,
                **run_as(self.user),
            )  # fmt: skip
        try:
            self._await()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """Ask it to end, and wait; what does not end in time is killed."""
        if self.process is not None:
            self.process.send_signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_S)
        self.kill()

    def kill(self) -> None:
        """End it and its children at once, as `kill -9` does; nothing happens where it has ended."""
        process, self.process = self.process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOP_S)
            _await_end_of_group(process.pid)

    def _await(self) -> None:
        assert self.process is not None
        name, deadline_s = type(self).__name__, time.monotonic() + READY_S
        while not self.is_ready():
            if self.process.poll() is not None:
                raise ServiceFailed(f"{name} ended with {self.process.returncode}:\n{self._last_words()}")
            if time.monotonic() > deadline_s:
                raise ServiceFailed(f"{name} is not ready after {READY_S:.0f} s:\n{self._last_words()}")
            time.sleep(POLL_S)

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _await_end_of_group(group: int) -> None:
    """Wait until its children are gone too: PostgreSQL's hold its memory, and it does not start again before.

    Not for ever: dead children stay listed where nobody collects them, as in a container without an init.
    """
    deadline_s = time.monotonic() + GROUP_S
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline_s:
            os.killpg(group, 0)
            time.sleep(POLL_S)


def run_as(user: str | None) -> dict[str, Any]:
    """Arguments that make subprocess run a program as that user, with their group and no other."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def find_program(name: str, *folders: Path) -> Path | None:
    """Find a program beside this Python, in the folders, or on PATH."""
    here = Path(sys.executable).parent
    found = shutil.which(name, path=os.pathsep.join(map(str, (here, *folders)))) or shutil.which(name)
    return Path(found) if found else None


def free_ports(count: int) -> tuple[int, ...]:
    """Return different TCP ports of the loopback address that nobody serves now."""
    with ExitStack() as held:
        ports: list[int] = []
        for port in random.SystemRandom().sample(PORTS, len(PORTS)):
            trial = held.enter_context(socket.socket())
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            ports.append(port)
            if len(ports) == count:
                return tuple(ports)
    raise ServiceFailed(f"fewer than {count} TCP ports are free")
