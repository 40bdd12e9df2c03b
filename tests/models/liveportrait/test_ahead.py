"""Items made ahead are the same items, in order; an error or an early stop leaves nothing behind."""

import threading
from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.liveportrait.ahead import ahead

WAIT_S = 60.0


def made(items: list[int]) -> Generator[int]:
    yield from items


@given(st.lists(st.integers(), max_size=12), st.integers(1, 5))
def test_the_items_are_the_same_in_order(items: list[int], depth: int) -> None:
    assert list(ahead(made(items), depth)) == items


@given(st.integers(0, 5), st.integers(1, 5))
def test_an_error_comes_where_its_item_would_have_come(before: int, depth: int) -> None:
    def broken() -> Generator[int]:
        yield from range(before)
        raise ValueError("frame 7 does not decode")

    got = []
    with pytest.raises(ValueError, match="frame 7"):
        for item in ahead(broken(), depth):
            got.append(item)
    assert got == list(range(before))


def test_the_next_item_is_made_while_the_last_is_used() -> None:
    begun = [threading.Event() for _ in range(3)]

    def slow() -> Generator[int]:
        for number, event in enumerate(begun):
            event.set()
            yield number

    items = ahead(slow(), 1)
    assert next(items) == 0
    assert begun[1].wait(WAIT_S), "nobody asked for it yet"
    assert not begun[2].is_set(), "one ahead is not two"
    assert list(items) == [1, 2]


def test_who_stops_early_closes_the_source_and_its_thread() -> None:
    closed = threading.Event()

    def endless() -> Generator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    before = threading.active_count()
    items = ahead(endless(), 3)
    next(items)
    items.close()
    assert closed.is_set() and threading.active_count() == before
