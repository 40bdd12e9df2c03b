"""Learning rates and seeds of steps."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.training.chance import step_seed
from models.training.schedule import warm_cosine, warm_linear

SCHEDULES = pytest.mark.parametrize("schedule", [warm_cosine, warm_linear])


@SCHEDULES
@given(steps=st.integers(2, 500), share=st.floats(0, 0.9), floor=st.floats(0, 1))
def test_it_rises_to_one_then_falls_to_the_floor(schedule, steps: int, share: float, floor: float) -> None:
    warmup = int(share * steps)
    factors = [schedule(index, steps=steps, warmup=warmup, floor=floor) for index in range(steps)]
    assert factors[warmup] == pytest.approx(1) or warmup == steps - 1
    rising, falling = factors[: warmup + 1], factors[warmup:]
    assert rising == sorted(rising) and rising[0] > 0
    assert all(after <= before + 1e-12 for before, after in pairwise(falling))
    assert factors[-1] == pytest.approx(floor) or warmup == steps - 1
    assert schedule(steps + 100, steps=steps, warmup=warmup, floor=floor) == pytest.approx(floor)


def test_halfway_down_both_are_halfway() -> None:
    for schedule in (warm_cosine, warm_linear):
        assert schedule(60, steps=101, warmup=20, floor=0.2) == pytest.approx(0.6)
        assert schedule(9, steps=101, warmup=19) == pytest.approx(0.5)
    assert warm_cosine(30, steps=101, warmup=20) > warm_linear(30, steps=101, warmup=20)


@given(st.integers(0, 2**32), st.integers(0, 10**9))
def test_seeds_of_steps_repeat_and_differ(seed: int, index: int) -> None:
    assert 0 <= step_seed(seed, index) < 2**63
    assert step_seed(seed, index) == step_seed(seed, index)
    others = {step_seed(seed, index + 1), step_seed(seed + 1, index), step_seed(seed, index, 1)}
    assert len(others) == 3 and step_seed(seed, index) not in others
