"""Stretches of a film in which no face could be drawn: they stay as they are, and people are told of the long ones."""

from collections.abc import Collection, Sequence

import numpy as np

from schemas.media import TimeSpan

LONGEST_UNTOLD_S = 0.5
"""A hand before the mouth, a turn of the head: shorter than this nobody needs to look."""


def nearest_track(frames_of: Sequence[np.ndarray], wanted: np.ndarray) -> np.ndarray:
    """Which of some tracks each wanted frame [w] belongs to: the one that shows it, else the nearest in time.

    Args:
        frames_of: Frame numbers of each track, increasing.
    """
    gaps = [np.maximum(np.maximum(frames[0] - wanted, wanted - frames[-1]), 0) for frames in frames_of]
    return np.argmin(np.stack(gaps), axis=0)


def unseen_spans(
    frame_times_s: np.ndarray, span: TimeSpan, drawn: Collection[int], longest_s: float = LONGEST_UNTOLD_S
) -> tuple[TimeSpan, ...]:
    """The runs of frames within a span of a film, none of which was drawn, that last longer than `longest_s`.

    Args:
        frame_times_s: [n] of all frames of the film.
        drawn: Numbers of the frames that were.
    """
    inside = np.flatnonzero((frame_times_s >= span.start_s) & (frame_times_s < span.end_s))
    is_left = ~np.isin(inside, np.fromiter(drawn, dtype=int, count=len(drawn)))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_left, [False]])))
    ends_s = np.concatenate([frame_times_s[inside], [span.end_s]])
    runs = ((float(ends_s[first]), float(ends_s[after])) for first, after in edges.reshape(-1, 2))
    return tuple(TimeSpan(start_s=start, end_s=end) for start, end in runs if end - start > longest_s)


def joined(spans: Collection[TimeSpan]) -> tuple[TimeSpan, ...]:
    """The same stretches in order, those that touch as one."""
    found: list[TimeSpan] = []
    for span in sorted(spans, key=lambda one: one.start_s):
        if found and span.start_s <= found[-1].end_s:
            found[-1] = TimeSpan(start_s=found[-1].start_s, end_s=max(found[-1].end_s, span.end_s))
        else:
            found.append(span)
    return tuple(found)
