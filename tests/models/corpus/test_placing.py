"""Where phones lie: ends are kept, the order is kept, whatever is done to them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.corpus.phones import PAUSE, phone_vocabulary
from models.corpus.placing import evenly, frame_ids, jittered, spoken

PAUSE_ID, *IDS = phone_vocabulary().ids([PAUSE, "p", "ˈa", "t", "iː", "m"])
PHONES = st.lists(st.sampled_from([PAUSE_ID, *IDS]), min_size=1, max_size=20).map(np.array)


@st.composite
def timed(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Phones and their edges, from any time on."""
    phones = draw(PHONES)
    lengths_s = draw(st.lists(st.floats(0.011, 0.6), min_size=len(phones), max_size=len(phones)))
    return phones, draw(st.floats(0, 3)) + np.concatenate([[0.0], np.cumsum(lengths_s)])


@given(timed(), st.floats(0, 1), st.integers(0, 99))
def test_jitter_keeps_ends_and_order(clip: tuple[np.ndarray, np.ndarray], spread: float, seed: int) -> None:
    edges_s = clip[1]
    moved = jittered(edges_s, spread, np.random.default_rng(seed))
    assert moved[0] == edges_s[0] and moved[-1] == pytest.approx(edges_s[-1])
    assert (np.diff(moved) > 0).all() and len(moved) == len(edges_s)


@given(timed())
def test_no_jitter_moves_nothing(clip: tuple[np.ndarray, np.ndarray]) -> None:
    assert jittered(clip[1], 0.0, np.random.default_rng(0)) == pytest.approx(clip[1])


@given(timed())
def test_evenly_gives_all_that_is_spoken_the_same_time(clip: tuple[np.ndarray, np.ndarray]) -> None:
    phones, edges_s = clip
    even = evenly(phones, edges_s)
    first, last = spoken(phones)
    durations_s = np.diff(even[first : last + 1])
    assert durations_s == pytest.approx(np.full(last - first, (edges_s[last] - edges_s[first]) / (last - first)))
    outside = np.r_[0 : first + 1, last : len(edges_s)]
    assert even[outside] == pytest.approx(edges_s[outside])


@given(PHONES)
def test_what_is_spoken_begins_and_ends_with_no_pause(phones: np.ndarray) -> None:
    first, last = spoken(phones)
    assert 0 <= first < last <= len(phones)
    if (phones != PAUSE_ID).any():
        assert phones[first] != PAUSE_ID and phones[last - 1] != PAUSE_ID
        assert (phones[:first] == PAUSE_ID).all() and (phones[last:] == PAUSE_ID).all()


@given(timed(), st.floats(0.001, 4))
def test_frames_hold_the_phone_at_their_middle(clip: tuple[np.ndarray, np.ndarray], beyond_s: float) -> None:
    phones, edges_s = clip
    frames = int((edges_s[-1] + beyond_s) * 93.75)
    ids = frame_ids(phones, edges_s, frames, 93.75)
    assert len(ids) == frames
    for frame, number in enumerate(ids):
        middle_s = (frame + 0.5) / 93.75
        inside = [k for k in range(len(phones)) if edges_s[k] <= middle_s < edges_s[k + 1]]
        assert number == (phones[inside[0]] if inside else phones[0 if middle_s < edges_s[0] else -1])
