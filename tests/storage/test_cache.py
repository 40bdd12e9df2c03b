"""Copies of remote objects: bounded, the longest unused go first, and nothing goes that a task may still read."""

import os
import time
from pathlib import Path

from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st

from schemas.settings import Settings
from storage.cache import IN_USE_S, ObjectCache, open_cache

AGE_S = st.floats(0, 4 * IN_USE_S).filter(lambda age_s: abs(age_s - IN_USE_S) > 60)


@trials(max_examples=25)
@given(sizes_and_ages=st.lists(st.tuples(st.integers(1, 500), AGE_S), max_size=12), limit=st.integers(1, 3000))
def test_eviction_keeps_the_most_recently_used(
    sizes_and_ages: list[tuple[int, float]], limit: int, tmp_path_factory
) -> None:  # type: ignore[no-untyped-def]
    cache = ObjectCache(tmp_path_factory.mktemp("cache"), 10**9)
    aged = []
    for number, (size_bytes, age_s) in enumerate(sizes_and_ages):
        path = cache.local_path(cache.put_bytes(number.to_bytes(2, "big") * size_bytes, "audio/wav"))
        os.utime(path, (time.time() - age_s,) * 2)
        aged.append((age_s, path))
    removed = ObjectCache(cache.root, limit).evict()
    kept = [(age_s, path) for age_s, path in aged if path.is_file()]
    gone = [(age_s, path) for age_s, path in aged if not path.is_file()]
    assert removed == len(gone)
    assert all(age_s > IN_USE_S for age_s, _ in gone), "what is in use stays"
    idle = [age_s for age_s, _ in kept if age_s > IN_USE_S]
    assert not gone or not idle or max(idle) <= min(age_s for age_s, _ in gone), "the longest unused go first"
    total = sum(path.stat().st_size for _, path in kept)
    assert total <= limit or all(age_s <= IN_USE_S for age_s, _ in kept), "the limit is met"


def test_reading_a_copy_makes_it_recent(tmp_path: Path) -> None:
    cache = ObjectCache(tmp_path, 10)
    old, older = (cache.put_bytes(data, "audio/wav") for data in (b"12345678", b"abcdefgh"))
    for ref, age_s in ((old, 2 * IN_USE_S), (older, 3 * IN_USE_S)):
        os.utime(cache.local_path(ref), (time.time() - age_s,) * 2)
    cache.local_path(older)
    assert cache.evict() == 1
    assert cache.has(older) and not cache.has(old)


def test_what_comes_in_makes_room(tmp_path: Path) -> None:
    cache = ObjectCache(tmp_path, 1000)
    first = cache.put_bytes(b"a" * 900, "audio/wav")
    os.utime(cache.local_path(first), (0, 0))
    second = cache.put_bytes(b"b" * 900, "audio/wav")
    assert cache.has(second) and not cache.has(first)


def test_the_cache_is_looked_through_now_and_then(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, cache_max_bytes=1)
    ref = open_cache(settings.model_copy(update={"cache_max_bytes": 10**9})).put_bytes(b"old", "audio/wav")
    os.utime(open_cache(settings).local_path(ref), (0, 0))
    assert open_cache(settings).has(ref), "it was looked through a moment ago"
    os.utime(settings.cache_dir / "objects" / "looked-at", (0, 0))
    assert not open_cache(settings).has(ref)
