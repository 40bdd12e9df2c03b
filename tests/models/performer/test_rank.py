"""Takes are ranked by one formula: bounded, monotone in each measure, and the best of more is never worse."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.performer.rank import Measured, cost, ranked, score

SHARES = st.floats(0, 1)
ERRORS_S = st.one_of(st.none(), st.floats(-3, 3))
MEASURED = st.builds(
    Measured,
    wer=st.one_of(st.none(), SHARES),
    has_timing=st.booleans(),
    onset_error_s=ERRORS_S,
    offset_error_s=ERRORS_S,
    mouth_r=st.one_of(st.none(), st.floats(-1, 1)),
)


@given(MEASURED)
def test_a_cost_lies_between_zero_and_one(measured: Measured) -> None:
    assert 0.0 <= cost(measured) <= 1.0 + 1e-12


@given(MEASURED, SHARES, st.floats(0, 2), st.floats(0, 1))
def test_what_gets_worse_never_costs_less(measured: Measured, wer: float, later_s: float, less_r: float) -> None:
    onset_s, r, own_wer = measured.onset_error_s or 0.0, measured.mouth_r or 0.0, measured.wer or 0.0
    known = replace(measured, wer=own_wer, has_timing=True, onset_error_s=abs(onset_s), offset_error_s=0.0, mouth_r=r)
    for worse in (
        replace(known, wer=max(own_wer, wer)),
        replace(known, onset_error_s=abs(onset_s) + later_s),
        replace(known, mouth_r=max(-1.0, r - less_r)),
        replace(known, onset_error_s=None),
    ):
        assert cost(worse) >= cost(known) - 1e-12


def test_the_formula_is_the_documented_one() -> None:
    perfect = Measured(wer=0.0, has_timing=True, onset_error_s=0.0, offset_error_s=0.0, mouth_r=1.0)
    assert cost(perfect) == 0.0
    one_word_in_ten = replace(perfect, wer=0.1)
    assert cost(one_word_in_ten) == pytest.approx(0.06)
    assert cost(replace(perfect, onset_error_s=0.12)) == pytest.approx(cost(one_word_in_ten))
    assert cost(replace(perfect, mouth_r=-1.0)) == pytest.approx(0.2)
    assert cost(Measured(wer=1.0, has_timing=True, mouth_r=-1.0)) == pytest.approx(1.0)  # silence


@given(st.lists(MEASURED, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_trying_does_not_matter(takes: list[Measured], chance) -> None:  # type: ignore[no-untyped-def]
    scores = [score(seed, measured) for seed, measured in enumerate(takes)]
    shuffled = chance.sample(scores, len(scores))
    assert ranked(scores) == ranked(shuffled)
    assert ranked(scores)[0].cost == min(own.cost for own in scores)


@given(st.lists(MEASURED, min_size=1, max_size=5), MEASURED)
def test_one_more_take_never_makes_the_best_worse(takes: list[Measured], more: Measured) -> None:
    scores = [score(seed, measured) for seed, measured in enumerate(takes)]
    assert ranked([*scores, score(len(scores), more)])[0].cost <= ranked(scores)[0].cost
