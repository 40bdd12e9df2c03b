"""Joining parts along time: upstream's wave, and what holds for any parts."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.jamflow.chunks import CROSSFADE_S, crossfade

LENGTHS = st.lists(st.integers(0, 40), min_size=1, max_size=5)


@pytest.mark.shared
def test_parity_crossfade(goldens: Any) -> None:
    case = goldens.case("crossfade")
    waves = [goldens.input(case, f"wave_{index}").reshape(-1).numpy() for index in range(3)]
    joined = crossfade(waves, fade_s=CROSSFADE_S, rate_hz=24_000)
    assert goldens.excess(case, "wave", torch.from_numpy(joined)) < 1


@given(LENGTHS, st.integers(0, 12))
def test_the_length_is_that_of_the_parts_less_the_fades(lengths: list[int], fade: int) -> None:
    joined = crossfade([np.ones(length, np.float32) for length in lengths], fade_s=fade / 25, rate_hz=25)
    expected = lengths[0]
    for length in lengths[1:]:
        expected += length - min(fade, expected, length)
    assert joined.shape == (expected,) and joined.dtype == np.float32


@given(LENGTHS, st.floats(0, 1), st.floats(-2, 2, width=32))
def test_a_constant_stays_constant(lengths: list[int], fade_s: float, value: float) -> None:
    joined = crossfade([np.full((length, 3), value, np.float32) for length in lengths], fade_s=fade_s, rate_hz=25)
    np.testing.assert_allclose(joined, value, rtol=1e-6, atol=1e-30)  # a weighted subnormal number rounds to zero


@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_motion_is_joined_as_each_of_its_numbers(fade: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    parts = [random.standard_normal((length, 12)).astype(np.float32) for length in (20, 9, 15)]
    whole = crossfade(parts, fade_s=fade / 25, rate_hz=25)
    columns = [crossfade([part[:, c] for part in parts], fade_s=fade / 25, rate_hz=25) for c in range(12)]
    np.testing.assert_array_equal(whole, np.stack(columns, axis=1))


def test_a_fade_goes_from_the_one_to_the_other() -> None:
    joined = crossfade([np.zeros(6), np.ones(6)], fade_s=5.0, rate_hz=1)
    np.testing.assert_allclose(joined, [0, 0, 0.25, 0.5, 0.75, 1, 1])


def test_a_fade_of_whole_steps_is_not_shortened_by_rounding() -> None:
    assert 0.29 * 100 < 29
    assert len(crossfade([np.ones(50), np.ones(50)], fade_s=0.29, rate_hz=100)) == 71


def test_without_a_fade_parts_are_put_together() -> None:
    parts = [np.arange(3.0), np.arange(2.0)]
    for fade_s in (0.0, -1.0, 0.99):
        np.testing.assert_array_equal(crossfade(parts, fade_s=fade_s, rate_hz=1), [0, 1, 2, 0, 1])


def test_nothing_cannot_be_joined() -> None:
    with pytest.raises(ValueError, match="at least one"):
        crossfade([], fade_s=0.1, rate_hz=25)
