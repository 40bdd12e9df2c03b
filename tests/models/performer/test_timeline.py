"""Phones on the clock: in order, without gaps, within the stretches where the original spoke."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.corpus.phones import PAUSE
from models.performer.engine import usual_durations
from models.performer.timeline import FASTEST, natural_duration_s, phones_of_words, timeline
from schemas.errors import RequestError
from schemas.media import TimeSpan
from schemas.speech import Word

TEXTS = ("We build a small table today.", "First, measure twice; then cut.", "Yes.", "Hoy, una mesa pequeña.")


@settings(max_examples=30)
@given(st.sampled_from(TEXTS), st.floats(0.3, 12.0), st.floats(0.2, 0.8))
def test_phones_follow_each_other_from_the_start_to_the_end(text: str, duration_s: float, at: float) -> None:
    pauses = (TimeSpan(start_s=at * duration_s, end_s=at * duration_s + 0.4),)
    laid_out = timeline(text, "es" if "mesa" in text else "en", duration_s, pauses, durations=usual_durations)
    starts = [phone.start_s for phone in laid_out.phones]
    ends = [phone.end_s for phone in laid_out.phones]
    assert starts[0] == 0.0 and all(end > start for start, end in zip(starts, ends, strict=True))
    np.testing.assert_allclose(starts[1:], ends[:-1], atol=1e-9)
    assert ends[-1] == pytest.approx(duration_s + laid_out.overflow_s)


def test_a_text_that_fits_does_not_overflow_and_one_that_does_not_is_said_at_the_fastest_pace() -> None:
    natural_s = natural_duration_s(TEXTS[0], "en", usual_durations)
    assert timeline(TEXTS[0], "en", natural_s, (), durations=usual_durations).overflow_s == 0.0
    hurried = timeline(TEXTS[0], "en", natural_s / 3, (), durations=usual_durations)
    assert hurried.overflow_s > 0 and hurried.speed == pytest.approx(FASTEST)


def test_two_clauses_leave_the_pause_of_the_original_between_them() -> None:
    pause = TimeSpan(start_s=2.0, end_s=3.0)
    laid_out = timeline("First we measure, then we cut.", "en", 5.0, (pause,), durations=usual_durations)
    silent = [phone for phone in laid_out.phones if phone.phone == PAUSE and phone.end_s > 2.5 > phone.start_s]
    assert len(silent) == 1 and silent[0].end_s == pytest.approx(3.0)


def test_a_text_without_words_is_refused() -> None:
    with pytest.raises(RequestError, match=r"no word that can be spoken"):
        timeline("…!", "en", 2.0, (), durations=usual_durations)


def test_recognised_words_keep_their_times() -> None:
    words = [
        Word(text="small", span=TimeSpan(start_s=0.5, end_s=0.9)),
        Word(text="table", span=TimeSpan(start_s=1.2, end_s=1.8)),
    ]
    phones = phones_of_words(words, "en", 2.0)
    edges = {round(phone.start_s, 6) for phone in phones} | {2.0}
    assert {0.0, 0.5, 0.9, 1.2, 1.8, 2.0} <= edges and phones[-1].end_s == 2.0
