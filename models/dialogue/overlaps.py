"""Lines of one speaker kept apart: nobody says two things at once."""

from collections.abc import Sequence

from schemas.media import TimeSpan
from schemas.speech import Line

_SHORTEST_S = 0.1


def without_overlaps(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Cut lines of the same speaker where they overlap; returned in time order. Other speakers may overlap.

    The earlier line ends where the later one starts; of two that start together each gets half.
    """
    ordered = sorted(lines, key=lambda line: (line.span.start_s, line.span.end_s))
    last_of: dict[str, int] = {}
    for index, line in enumerate(ordered):
        if line.speaker in last_of:
            before = last_of[line.speaker]
            ordered[before], ordered[index] = _apart(ordered[before], line)
        last_of[line.speaker] = index
    return tuple(sorted(ordered, key=lambda line: (line.span.start_s, line.span.end_s)))


def _apart(before: Line, after: Line) -> tuple[Line, Line]:
    if before.span.end_s <= after.span.start_s:
        return before, after
    end_s = max(before.span.end_s, after.span.end_s)
    if after.span.start_s - before.span.start_s >= _SHORTEST_S:
        # The later line takes over; what the earlier one said after it is inside the later's span.
        return _resized(before, before.span.start_s, after.span.start_s), after
    middle_s = (before.span.start_s + end_s) / 2
    return _resized(before, before.span.start_s, middle_s), _resized(after, middle_s, end_s)


def _resized(line: Line, start_s: float, end_s: float) -> Line:
    span = TimeSpan(start_s=start_s, end_s=end_s)
    pauses = tuple(pause for pause in line.pauses if start_s < pause.start_s and pause.end_s < end_s)
    return line.model_copy(update={"span": span, "pauses": pauses})
