"""How long a line may take beyond its own end."""

from collections.abc import Sequence

from schemas.speech import Line

_DISTANCE_TO_NEXT_S = 0.1
_MOST_S = 1.0


def utterance_room_s(lines: Sequence[Line], index: int, duration_s: float) -> float:
    """Seconds of silence after line `index` that an overlong take may use, 0 to 1.

    It ends 0.1 s before the next line of any speaker, or before the end of the video; a line that
    runs on while another speaks has none.
    """
    end_s = lines[index].span.end_s
    others = [line.span for position, line in enumerate(lines) if position != index]
    if any(span.start_s <= end_s < span.end_s for span in others):
        return 0.0
    free_until_s = min([span.start_s for span in others if span.start_s > end_s], default=duration_s)
    return min(_MOST_S, max(0.0, min(free_until_s, duration_s) - end_s - _DISTANCE_TO_NEXT_S))
