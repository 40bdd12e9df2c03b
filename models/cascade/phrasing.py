"""Which words go into which stretch of the original's speech, so that pauses fall where they fell."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.media import TimeSpan

_SHORTEST_PAUSE_S = 0.2
_SHORTEST_ISLAND_S = 0.25
_JOINT_S = 0.2  # what a voice pauses between two clauses said in one breath
_SPOKEN_PAUSE_COST = 0.3  # of one second of the original's pause, against speed: see _cost


@dataclass(frozen=True)
class Phrase:
    """Clauses [first, last) said in one go over one stretch of the line."""

    first: int
    last: int
    span: TimeSpan


def islands(duration_s: float, pauses: Sequence[TimeSpan]) -> tuple[TimeSpan, ...]:
    """Cut a line into the stretches between its pauses; pauses under 0.2 s do not part it.

    The first stretch begins with the line and the last ends with it, unless a pause lies there.
    """
    spans: list[TimeSpan] = []
    start_s = 0.0
    for pause in sorted(pauses, key=lambda pause: pause.start_s):
        if min(pause.end_s, duration_s) - max(pause.start_s, start_s) < _SHORTEST_PAUSE_S:
            continue
        if pause.start_s - start_s >= _SHORTEST_ISLAND_S:
            spans.append(TimeSpan(start_s=start_s, end_s=pause.start_s))
        start_s = max(start_s, pause.end_s)
    if duration_s - start_s >= _SHORTEST_ISLAND_S or not spans:
        spans.append(TimeSpan(start_s=min(start_s, max(0.0, duration_s - _SHORTEST_ISLAND_S)), end_s=duration_s))
    return tuple(spans)


def phrase(clause_s: Sequence[float], stretches: Sequence[TimeSpan]) -> tuple[Phrase, ...]:
    """Spread clauses of natural lengths over stretches of speech, both in order, with the least strain.

    Every clause and every stretch is used once; neighbours are joined where there are more of one than of the
    other, or where that fits better. Dynamic programming over (clauses placed, stretches used).
    """
    best: dict[tuple[int, int], tuple[float, tuple[Phrase, ...]]] = {(0, 0): (0.0, ())}
    for last in range(1, len(clause_s) + 1):
        for end in range(1, len(stretches) + 1):
            options = [
                (cost + _cost(clause_s[first:last], stretches[begin:end]), (*before, Phrase(first, last, span)))
                for first in range(last)
                for begin in range(end)
                if (first, begin) in best
                for cost, before in [best[first, begin]]
                for span in [TimeSpan(start_s=stretches[begin].start_s, end_s=stretches[end - 1].end_s)]
            ]
            if options:
                best[last, end] = min(options, key=lambda option: option[0])
    return best[len(clause_s), len(stretches)][1]


def _cost(clause_s: Sequence[float], stretches: Sequence[TimeSpan]) -> float:
    """Squared log of the speed needed, weighed by how long it is heard, and the pauses spoken over."""
    natural_s = sum(clause_s) + _JOINT_S * (len(clause_s) - 1)
    span_s = stretches[-1].end_s - stretches[0].start_s
    spoken_over_s = span_s - sum(stretch.duration_s for stretch in stretches)
    return natural_s * math.log(natural_s / span_s) ** 2 + _SPOKEN_PAUSE_COST * spoken_over_s
