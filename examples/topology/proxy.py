"""A TCP proxy before a service that drops, delays, truncates or answers with an error: what networks do."""

import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

BLOCK_BYTES = 1 << 16


@dataclass(frozen=True)
class Fault:
    """What happens to one connection; without any of these it is passed on untouched."""

    delay_s: float = 0.0
    cut_after_bytes: int | None = None
    """Of the answer; 0: the connection is closed at once."""
    status: int | None = None
    """Answer with this HTTP status instead of asking the service."""


@dataclass
class FaultyProxy:
    """Each new connection meets the next fault of `faults`, or none where there is none left."""

    target: int
    faults: deque[Fault] = field(default_factory=deque)
    connections: int = 0
    _listener: socket.socket | None = field(default=None, init=False, repr=False)

    @property
    def port(self) -> int:
        """Where clients connect to, on the loopback address."""
        assert self._listener is not None
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._listener is not None
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                self.connections += 1
                fault = self.faults.popleft() if self.faults else Fault()
                threading.Thread(target=self._connect, args=(client, fault), daemon=True).start()

    def _connect(self, client: socket.socket, fault: Fault) -> None:
        with client, suppress(OSError):
            time.sleep(fault.delay_s)
            if fault.cut_after_bytes == 0:
                return
            if fault.status is not None:
                client.recv(BLOCK_BYTES)
                client.sendall(
                    f"HTTP/1.1 {fault.status} Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
                )
                return
            with socket.create_connection(("127.0.0.1", self.target)) as service:
                threading.Thread(target=_pass_on, args=(client, service, None), daemon=True).start()
                _pass_on(service, client, fault.cut_after_bytes)


def _pass_on(source: socket.socket, sink: socket.socket, most_bytes: int | None) -> None:
    """Copy until the source ends, or until so many bytes went through; then end both."""
    passed = 0
    with suppress(OSError):
        while (most_bytes is None or passed < most_bytes) and (block := source.recv(BLOCK_BYTES)):
            kept = block if most_bytes is None else block[: most_bytes - passed]
            sink.sendall(kept)
            passed += len(kept)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
