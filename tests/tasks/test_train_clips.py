import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tasks.train_clips import side_by_side

LONG_S = 20.0


def endless(check: Callable[[], None]) -> None:
    deadline_s = time.monotonic() + LONG_S
    while time.monotonic() < deadline_s:
        check()
        time.sleep(0.01)


def test_parts_come_back_in_their_order() -> None:
    def work(part: int, _check: Callable[[], None]) -> int:
        time.sleep(0.05 * (3 - part))
        return part

    assert side_by_side(work, 3) == (0, 1, 2)


@pytest.mark.parametrize("failing", [0, 1])
def test_a_part_that_fails_ends_the_others(failing: int) -> None:
    def work(part: int, check: Callable[[], None]) -> None:
        if part == failing:
            raise ValueError("the sentences do not suffice")
        endless(check)

    began_s = time.monotonic()
    with pytest.raises(ValueError, match="do not suffice"):
        side_by_side(work, 2)
    assert time.monotonic() - began_s < LONG_S / 2


@pytest.fixture
def _ctrl_c_is_heard() -> Iterator[None]:
    """A process that was started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c_is_heard")
def test_ctrl_c_ends_all_parts() -> None:
    def work(part: int, check: Callable[[], None]) -> None:
        if part == 0:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        endless(check)

    began_s = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        side_by_side(work, 2)
    assert time.monotonic() - began_s < LONG_S / 2
