"""Values are frozen, refuse what they do not know, and survive a trip through JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.dub import DubRequest
from schemas.media import TimeSpan

times = st.floats(min_value=0, max_value=1e5, allow_nan=False)
spans = (
    st.tuples(times, times)
    .filter(lambda pair: pair[0] < pair[1])
    .map(lambda pair: TimeSpan(start_s=pair[0], end_s=pair[1]))
)


@given(spans, spans)
def test_overlap_is_symmetric_and_no_longer_than_either(one: TimeSpan, other: TimeSpan) -> None:
    assert one.overlap_s(other) == other.overlap_s(one)
    assert 0 <= one.overlap_s(other) <= min(one.duration_s, other.duration_s)
    assert one.overlap_s(one) == one.duration_s


@given(spans)
def test_a_span_survives_json(span: TimeSpan) -> None:
    assert TimeSpan.model_validate_json(span.model_dump_json()) == span


@given(times, times)
def test_a_span_that_does_not_end_after_its_start_is_refused(start_s: float, length_s: float) -> None:
    with pytest.raises(ValidationError):
        TimeSpan(start_s=start_s, end_s=start_s - length_s)


@pytest.mark.parametrize("tag", ["", "e", "english!", "es_MX", "../x", "es-"])
def test_a_language_that_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(ValidationError):
        DubRequest(video="a.mp4", target_language=tag)


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="lip"):
        DubRequest.model_validate({"video": "a.mp4", "target_language": "es", "lip": "keep"})
