"""The searches against trying every segmentation there is."""

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import lognorm

from models.alignment.viterbi import align, align_timed, decode, log_normal
from schemas.errors import RequestError

CLASSES = 4
seeds = st.integers(0, 2**31)


def rated(seed: int, frames: int) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(0, 2, (frames, CLASSES))
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def segmentations(frames: int, states: int, minimum_frames: int) -> Iterator[tuple[int, ...]]:
    """Every choice of edges that gives each state its minimum."""
    for inner in combinations(range(1, frames), states - 1):
        edges = (0, *inner, frames)
        if all(b - a >= minimum_frames for a, b in pairwise(edges)):
            yield edges


def score(log_probs: np.ndarray, states: Sequence[int | None], edges: Sequence[int]) -> float:
    spans = zip(states, edges, edges[1:], strict=False)
    return sum(float(log_probs[a:b, state].sum()) for state, a, b in spans if state is not None)


def priors(mean: np.ndarray, sd: np.ndarray, edges: Sequence[int]) -> float:
    return sum(float(log_normal(np.array(b - a), m, d)) for m, d, a, b in zip(mean, sd, edges, edges[1:], strict=False))


@st.composite
def tasks(draw: st.DrawFn) -> tuple[np.ndarray, list[int], int]:
    states = draw(st.lists(st.integers(0, CLASSES - 1), min_size=1, max_size=4))
    minimum = draw(st.integers(1, 2))
    frames = draw(st.integers(minimum * len(states), 9))
    return rated(draw(seeds), frames), states, minimum


@given(tasks())
def test_no_segmentation_scores_more(task: tuple[np.ndarray, list[int], int]) -> None:
    log_probs, states, minimum = task
    found = align(log_probs, states, minimum)
    every = list(segmentations(len(log_probs), len(states), minimum))
    assert tuple(found) in every
    assert score(log_probs, states, found) == pytest.approx(max(score(log_probs, states, edges) for edges in every))


@given(tasks(), seeds)
def test_no_timed_segmentation_scores_more(task: tuple[np.ndarray, list[int], int], seed: int) -> None:
    log_probs, states, minimum = task
    rng = np.random.default_rng(seed)
    mean, sd = rng.uniform(0.5, 6, len(states)), rng.uniform(0.2, 4, len(states))
    found = align_timed(log_probs, states, mean, sd, minimum)
    every = list(segmentations(len(log_probs), len(states), minimum))
    assert tuple(found) in every
    best = max(score(log_probs, states, edges) + priors(mean, sd, edges) for edges in every)
    assert score(log_probs, states, found) + priors(mean, sd, found) == pytest.approx(best)


@given(tasks())
def test_a_flat_prior_changes_no_score(task: tuple[np.ndarray, list[int], int]) -> None:
    log_probs, states, minimum = task
    plain = align(log_probs, states, minimum)
    flat = align(log_probs, states, minimum, lambda _, frames: np.zeros(frames.shape))
    assert score(log_probs, states, flat) == pytest.approx(score(log_probs, states, plain))


@st.composite
def grammars(draw: st.DrawFn) -> tuple[np.ndarray, list[list[int]], set[int], int]:
    slot = st.lists(st.integers(0, CLASSES - 1), min_size=1, max_size=2, unique=True)
    slots = draw(st.lists(slot, min_size=1, max_size=4))
    optional = draw(st.sets(st.integers(0, len(slots) - 1)))
    minimum = draw(st.integers(1, 2))
    frames = draw(st.integers(max(minimum * (len(slots) - len(optional)), minimum), 8))
    return rated(draw(seeds), frames), slots, optional, minimum


@given(grammars())
@settings(max_examples=50)
def test_no_path_through_the_grammar_scores_more(grammar: tuple[np.ndarray, list[list[int]], set[int], int]) -> None:
    log_probs, slots, optional, minimum = grammar
    found = decode(log_probs, slots, optional, minimum)
    options = [[*slot, None] if place in optional else [*slot] for place, slot in enumerate(slots)]
    every = [
        score(log_probs, kept, edges)
        for choice in product(*options)
        if (kept := [state for state in choice if state is not None])
        for edges in segmentations(len(log_probs), len(kept), minimum)
    ]
    assert found.boundaries[0] == 0 and found.boundaries[-1] == len(log_probs)
    for place, (state, frames) in enumerate(zip(found.classes, np.diff(found.boundaries), strict=True)):
        assert (state in slots[place] and frames >= minimum) or (place in optional and state is None and frames == 0)
    assert score(log_probs, found.classes, found.boundaries) == pytest.approx(max(every))


@given(tasks())
def test_forced_alignment_is_a_grammar_without_choice(task: tuple[np.ndarray, list[int], int]) -> None:
    log_probs, states, minimum = task
    found = decode(log_probs, [[state] for state in states], minimum_frames=minimum)
    assert found.classes == tuple(states)
    assert np.array_equal(found.boundaries, align(log_probs, states, minimum))


def test_clear_frames_are_cut_where_they_change() -> None:
    said = np.repeat([0, 2, 1, 0], [5, 3, 4, 6])
    log_probs = np.where(np.arange(CLASSES) == said[:, None], -0.1, -5.0)
    assert align(log_probs, [0, 2, 1, 0]).tolist() == [0, 5, 8, 12, 18]
    found = decode(log_probs, [[0], [2, 3], [0], [1], [0]], optional={0, 2, 4})
    assert found.classes == (0, 2, None, 1, 0) and found.boundaries.tolist() == [0, 5, 8, 8, 12, 18]


def test_without_evidence_states_last_as_long_as_expected() -> None:
    log_probs = np.full((60, CLASSES), -np.log(CLASSES))
    edges = align_timed(log_probs, [0, 1, 2], np.array([10.0, 20.0, 30.0]), np.array([1.0, 2.0, 3.0]))
    assert np.abs(np.diff(edges) - [10, 20, 30]).max() <= 1


@given(st.floats(0.5, 50), st.floats(0.1, 20))
def test_the_prior_is_the_log_normal_law(mean: float, sd: float) -> None:
    law = lognorm(s=np.sqrt(np.log1p((sd / mean) ** 2)), scale=mean**2 / np.hypot(mean, sd))
    assert law.mean() == pytest.approx(mean) and law.std() == pytest.approx(sd)
    frames = np.arange(1, 80)
    assert np.allclose(log_normal(frames, mean, sd), law.logpdf(frames))


@pytest.mark.parametrize(
    ("frames", "states", "minimum", "message"),
    [
        (3, [0, 1], 2, "3 frames are too few"),
        (5, [], 1, "0 slots"),
        (5, [0], 0, "at least 0 frames"),
        (5, [0, CLASSES], 1, "class 4 was asked for"),
    ],
)
def test_what_cannot_be_aligned_is_said(frames: int, states: list[int], minimum: int, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        align(rated(0, frames), states, minimum)


def test_infinite_ratings_and_impossible_durations_are_errors() -> None:
    log_probs = rated(0, 6)
    log_probs[2, 1] = -np.inf
    with pytest.raises(RequestError, match="not finite"):
        align(log_probs, [0, 1])
    with pytest.raises(RequestError, match="add up to 6 frames"):
        align(rated(0, 6), [0, 1], 1, lambda _, frames: np.where(frames == 2, 0.0, -np.inf))
    with pytest.raises(RequestError, match="positive mean and sd"):
        align_timed(rated(0, 6), [0, 1], np.array([3.0]), np.array([1.0]))
    with pytest.raises(RequestError, match="too few"):
        decode(rated(0, 0), [[0]], {0})
