"""Being asked to stop: SIGTERM and Ctrl-C, heard once and answered when the work at hand is done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ASKING = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Whether this process was asked to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal_name = ""

    @property
    def is_made(self) -> bool:
        return self.signal_name != ""


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Hear SIGTERM and SIGINT inside the block; a signal that comes a second time does what it did outside.

    Python lets only the main thread handle signals; in another one, nothing is heard.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    previous = {number: signal.getsignal(number) for number in _ASKING}

    def hear(number: int, _frame: FrameType | None) -> None:
        request.signal_name = signal.Signals(number).name
        signal.signal(number, previous[signal.Signals(number)])

    for number in _ASKING:
        signal.signal(number, hear)
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
