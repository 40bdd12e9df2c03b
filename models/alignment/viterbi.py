"""Exact searches for the best segmentation of rated frames. Letters: n frames, s states in order, o options of a slot.

Every search keeps, state after state, the best score of a segmentation that ends at each of the n + 1 frame edges;
a state's frames are summed by differences of running sums, so all edges are treated at once.
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np

from schemas.errors import RequestError

DurationLogProb = Callable[[int, np.ndarray], np.ndarray]
"""(place in the order of states, whole durations in frames [...]) -> log-probability of each [...]."""


class Decoded(NamedTuple):
    """Which class fills each slot (None: skipped), and the s + 1 frame edges: slot i lies in [edge i, edge i + 1)."""

    classes: tuple[int | None, ...]
    boundaries: np.ndarray


def align(
    log_probs: np.ndarray,
    states: Sequence[int],
    minimum_frames: int = 1,
    duration_log_prob: DurationLogProb | None = None,
) -> np.ndarray:
    """Force the classes `states`, in this order, upon all frames: the frame edges [s + 1] of the best segmentation.

    Args:
        log_probs: Finite log-probabilities [n, classes].
        minimum_frames: The shortest state, at least 1.
        duration_log_prob: Adds a score for how long each state lasts (a semi-Markov model; n² of time and memory).

    Raises:
        RequestError: there are no states, too few frames, an unknown class, or a log-probability that is not finite.
    """
    slots = [(state,) for state in states]
    _check(log_probs, slots, minimum_frames, frozenset())
    if duration_log_prob is None:
        return _search(log_probs, slots, frozenset(), minimum_frames).boundaries
    return _search_timed(log_probs, states, minimum_frames, duration_log_prob)


def align_timed(
    log_probs: np.ndarray,
    states: Sequence[int],
    mean_frames: np.ndarray,
    sd_frames: np.ndarray,
    minimum_frames: int = 1,
) -> np.ndarray:
    """Force `states` upon all frames, each expected to last so long: the frame edges [s + 1] of the best segmentation.

    Durations are log-normal with these means and standard deviations, positive, [s] each; the rest is as in `align`.

    Raises:
        RequestError: as `align`, or the expected durations do not fit the states.
    """
    mean, sd = np.asarray(mean_frames, float), np.asarray(sd_frames, float)
    if mean.shape != (len(states),) or sd.shape != mean.shape or not (mean > 0).all() or not (sd > 0).all():
        raise RequestError(
            f"{len(states)} states need as many positive mean and sd durations, not shapes {mean.shape} and {sd.shape}"
        )
    return align(log_probs, states, minimum_frames, lambda place, frames: log_normal(frames, mean[place], sd[place]))


def log_normal(frames: np.ndarray, mean_frames: float, sd_frames: float) -> np.ndarray:
    """Log-density of positive durations under the log-normal law of this mean and standard deviation."""
    variance = np.log1p((sd_frames / mean_frames) ** 2)  # of the logarithm
    distance = np.log(frames) - (np.log(mean_frames) - variance / 2)
    density: np.ndarray = -np.log(frames) - 0.5 * np.log(2 * np.pi * variance) - distance**2 / (2 * variance)
    return density


def decode(
    log_probs: np.ndarray,
    slots: Sequence[Sequence[int]],
    optional: Collection[int] = frozenset(),
    minimum_frames: int = 1,
) -> Decoded:
    """Find the best path through a grammar of slots, each filled by one of its classes.

    Args:
        log_probs: Finite log-probabilities [n, classes].
        slots: The classes that may fill each slot; every filled slot lasts at least `minimum_frames`.
        optional: Places of slots that may be skipped (they then have no frames).

    Raises:
        RequestError: a slot is empty, too few frames, an unknown class, or a log-probability that is not finite.
    """
    skippable = frozenset(optional)
    _check(log_probs, slots, minimum_frames, skippable)
    return _search(log_probs, slots, skippable, minimum_frames)


def _check(
    log_probs: np.ndarray, slots: Sequence[Sequence[int]], minimum_frames: int, optional: frozenset[int]
) -> None:
    frames, classes = log_probs.shape
    if minimum_frames < 1 or not slots or any(len(slot) == 0 for slot in slots):
        raise RequestError(f"{len(slots)} slots of at least {minimum_frames} frames: give slots, classes and a frame")
    wrong = [state for slot in slots for state in slot if not 0 <= state < classes]
    if wrong:
        raise RequestError(f"class {wrong[0]} was asked for, but frames are rated for classes 0 to {classes - 1}")
    needed = minimum_frames * sum(place not in optional for place in range(len(slots)))
    if frames < max(needed, 1):
        raise RequestError(
            f"{frames} frames are too few for states that need {needed}: give more sound or fewer states"
        )
    if len(optional) == len(slots) and frames < minimum_frames:
        raise RequestError(f"{frames} frames are fewer than the shortest slot, {minimum_frames}: give more sound")
    if not np.isfinite(log_probs).all():
        raise RequestError("a log-probability is not finite: bound them from below, at -1e4 say")


def _search(
    log_probs: np.ndarray, slots: Sequence[Sequence[int]], optional: frozenset[int], minimum_frames: int
) -> Decoded:
    sums = _running_sums(log_probs)
    edges = len(sums)
    best = np.full(edges, -np.inf)
    best[0] = 0.0
    choices, starts = [], []  # per slot [n + 1]: the class that ends at an edge (-1: skipped), and where it began
    for place, slot in enumerate(slots):
        classes = np.asarray(slot)
        score, start = _filled(best, sums[:, classes], minimum_frames)
        option = score.argmax(axis=1)
        rows = np.arange(edges)
        score, start, chosen = score[rows, option], start[rows, option], classes[option]
        if place in optional:
            skipped = best >= score
            score, start = np.where(skipped, best, score), np.where(skipped, rows, start)
            chosen = np.where(skipped, -1, chosen)
        best = score
        choices.append(chosen)
        starts.append(start)
    boundaries = _traced(starts)
    filled = [int(chosen[end]) for chosen, end in zip(choices, boundaries[1:], strict=True)]
    return Decoded(tuple(None if state < 0 else state for state in filled), boundaries)


def _filled(best: np.ndarray, sums: np.ndarray, minimum_frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Best score and start [n + 1, o] of a slot that ends at each edge, given those of what comes before it [n + 1]."""
    before = best[:, None] - sums
    highest = np.maximum.accumulate(before, axis=0)
    new = before >= highest
    where = np.maximum.accumulate(np.where(new, np.arange(len(best))[:, None], 0), axis=0)
    score = np.full(sums.shape, -np.inf)
    start = np.zeros(sums.shape, int)
    score[minimum_frames:] = highest[: len(best) - minimum_frames] + sums[minimum_frames:]
    start[minimum_frames:] = where[: len(best) - minimum_frames]
    return score, start


def _search_timed(
    log_probs: np.ndarray, states: Sequence[int], minimum_frames: int, duration_log_prob: DurationLogProb
) -> np.ndarray:
    sums = _running_sums(log_probs)
    edges = len(sums)
    durations = np.arange(edges)[None, :] - np.arange(edges)[:, None]  # [start, end]
    allowed = durations >= minimum_frames
    lasting = np.arange(minimum_frames, edges)
    best = np.full(edges, -np.inf)
    best[0] = 0.0
    starts = []
    for place, state in enumerate(states):
        prior = np.full(edges, -np.inf)
        prior[minimum_frames:] = duration_log_prob(place, lasting)
        before = (best - sums[:, state])[:, None] + np.where(allowed, prior[np.abs(durations)], -np.inf)
        start = before.argmax(axis=0)
        best = before[start, np.arange(edges)] + sums[:, state]
        starts.append(start)
    if not np.isfinite(best[-1]):
        raise RequestError(f"no durations of {len(states)} states that add up to {edges - 1} frames are allowed")
    return _traced(starts)


def _traced(starts: Sequence[np.ndarray]) -> np.ndarray:
    """Follow, from the last edge back, where each state began [n + 1]: the edges [s + 1]."""
    boundaries = [len(starts[0]) - 1]
    for start in reversed(starts):
        boundaries.append(int(start[boundaries[-1]]))
    return np.array(boundaries[::-1])


def _running_sums(log_probs: np.ndarray) -> np.ndarray:
    """Sums of the first 0, 1, ... n frames [n + 1, classes]."""
    return np.concatenate([np.zeros((1, log_probs.shape[1])), np.cumsum(log_probs, axis=0, dtype=np.float64)])
