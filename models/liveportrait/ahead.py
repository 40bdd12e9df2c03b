"""Decoding, drawing and encoding at the same time: what comes next is made while the last is used."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Generator[Item], depth: int) -> Generator[Item]:
    """Yield `items` in their order, of which up to `depth` are made in a thread of their own before they are asked for.

    What `items` raises is raised where its item would have come. A consumer that stops early closes `items`.
    """
    end = object()
    maker = ThreadPoolExecutor(max_workers=1)

    def begin() -> Future[Item | object]:
        return maker.submit(next, items, end)

    try:
        coming = deque(begin() for _ in range(depth))
        while (item := coming.popleft().result()) is not end:
            coming.append(begin())
            yield item  # type: ignore[misc]  # it is not the end
    finally:
        maker.shutdown(cancel_futures=True)
        items.close()
