"""Every frame of a span is drawn, or lies in a short run, or is told of: theorems, and the limit itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.unseen import joined, nearest_track, unseen_spans
from schemas.media import TimeSpan

FPS = 25.0
TIMES_S = np.arange(200) / FPS


@given(
    drawn=st.sets(st.integers(0, 199)),
    start_s=st.floats(0, 4),
    length_s=st.floats(0.04, 4),
    longest_s=st.sampled_from([0.0, 0.2, 0.5]),
)
def test_what_is_told_is_exactly_the_long_runs(
    drawn: set[int], start_s: float, length_s: float, longest_s: float
) -> None:
    span = TimeSpan(start_s=start_s, end_s=start_s + length_s)
    told = unseen_spans(TIMES_S, span, drawn, longest_s)
    inside = np.flatnonzero((TIMES_S >= span.start_s) & (TIMES_S < span.end_s)).tolist()
    for one in told:
        assert span.start_s <= one.start_s < one.end_s <= span.end_s and one.duration_s > longest_s
        assert not [frame for frame in inside if one.start_s <= TIMES_S[frame] < one.end_s and frame in drawn]
    untold = [f for f in inside if f not in drawn and not any(o.start_s <= TIMES_S[f] < o.end_s for o in told)]
    runs = np.split(untold, np.flatnonzero(np.diff(untold) > 1) + 1) if untold else []
    assert all(len(run) / FPS <= longest_s + 1 / FPS for run in runs), "a run that is not told of is short"


@pytest.mark.parametrize(("frames", "is_told"), [(12, False), (14, True)])
def test_half_a_second_is_the_limit(frames: int, is_told: bool) -> None:
    drawn = set(range(200)) - set(range(50, 50 + frames))
    told = unseen_spans(TIMES_S, TimeSpan(start_s=0, end_s=8), drawn)
    assert told == ((TimeSpan(start_s=2.0, end_s=(50 + frames) / FPS),) if is_told else ())


def test_stretches_that_touch_are_one() -> None:
    spans = [TimeSpan(start_s=start, end_s=end) for start, end in [(5, 6), (1, 2), (2, 3)]]
    assert joined(spans) == (TimeSpan(start_s=1, end_s=3), TimeSpan(start_s=5, end_s=6))
    assert joined([]) == ()


def test_a_frame_belongs_to_the_track_that_shows_it_or_to_the_nearest() -> None:
    tracks = [np.arange(10, 20), np.arange(30, 40)]
    assert nearest_track(tracks, np.array([0, 10, 19, 22, 28, 35, 99])).tolist() == [0, 0, 0, 0, 1, 1, 1]
