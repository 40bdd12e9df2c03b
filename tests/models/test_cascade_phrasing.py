"""Words over the original's stretches of speech."""

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from models.cascade.phrasing import _cost, islands, phrase
from schemas.media import TimeSpan

DURATION = st.floats(0.3, 20)
SPANS = st.lists(st.tuples(st.floats(0, 20), st.floats(0.01, 3)), max_size=6)
CLAUSES = st.lists(st.floats(0.1, 4), min_size=1, max_size=5)


def spans(pairs: list[tuple[float, float]]) -> tuple[TimeSpan, ...]:
    return tuple(TimeSpan(start_s=start, end_s=start + length) for start, length in pairs)


@given(DURATION, SPANS)
def test_stretches_lie_apart_in_order_within_the_line(duration_s: float, pauses: list[tuple[float, float]]) -> None:
    found = islands(duration_s, spans(pauses))
    assert found and found[0].start_s >= 0 and found[-1].end_s <= duration_s + 1e-9
    assert all(a.end_s + 0.199 <= b.start_s for a, b in itertools.pairwise(found))


@given(DURATION)
def test_a_line_without_pauses_is_one_stretch(duration_s: float) -> None:
    assert islands(duration_s, ()) == (TimeSpan(start_s=0, end_s=duration_s),)


def test_pauses_part_a_line() -> None:
    found = islands(6.0, spans([(2.0, 0.5), (4.0, 0.1), (5.0, 1.0)]))
    assert [(span.start_s, span.end_s) for span in found] == [(0.0, 2.0), (2.5, 5.0)]


@given(CLAUSES, DURATION, SPANS)
def test_every_clause_is_said_once_and_in_order(clause_s: list[float], duration_s: float, pauses) -> None:  # type: ignore[no-untyped-def]
    stretches = islands(duration_s, spans(pauses))
    phrases = phrase(clause_s, stretches)
    assert [index for part in phrases for index in range(part.first, part.last)] == list(range(len(clause_s)))
    assert phrases[0].span.start_s == stretches[0].start_s and phrases[-1].span.end_s == stretches[-1].end_s
    assert all(a.span.end_s <= b.span.start_s for a, b in itertools.pairwise(phrases))


@given(CLAUSES, st.integers(1, 4))
def test_no_other_way_to_spread_them_strains_less(clause_s: list[float], count: int) -> None:
    stretches = spans([(1.5 * index, 1.0) for index in range(count)])
    found = phrase(clause_s, stretches)
    position = {stretch.start_s: index for index, stretch in enumerate(stretches)}
    starts = [position[part.span.start_s] for part in found]
    cost = sum(
        _cost(clause_s[part.first : part.last], stretches[a:b])
        for part, a, b in zip(found, starts, [*starts[1:], count], strict=True)
    )
    assert cost <= min(every_cost(clause_s, stretches)) + 1e-9


def every_cost(clause_s: list[float], stretches: tuple[TimeSpan, ...]) -> list[float]:
    """The cost of all ways, by trying all: both cut into the same number of parts."""
    costs = []
    for parts in range(1, min(len(clause_s), len(stretches)) + 1):
        for words in itertools.combinations(range(1, len(clause_s)), parts - 1):
            for times in itertools.combinations(range(1, len(stretches)), parts - 1):
                word_cuts, time_cuts = (0, *words, len(clause_s)), (0, *times, len(stretches))
                pairs = zip(itertools.pairwise(word_cuts), itertools.pairwise(time_cuts), strict=True)
                costs.append(math.fsum(_cost(clause_s[i:j], stretches[a:b]) for (i, j), (a, b) in pairs))
    return costs
