"""Lines edited by hand: only what is named changes, and what is shown can be given back unchanged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.dialogue.edit import as_edits, edit_lines
from models.dialogue.lines import line_id
from schemas.errors import RequestError
from schemas.media import TimeSpan
from schemas.speech import Line, Script

TEXTS = st.none() | st.text(max_size=30).map(lambda text: " ".join(text.split()) or None)


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    texts = draw(st.lists(TEXTS, max_size=6))
    spans = [TimeSpan(start_s=index, end_s=index + 0.5) for index in range(len(texts))]
    lines = tuple(
        Line(id=line_id(number), speaker="S1", span=span, source_text="x", target_text=text)
        for number, (span, text) in enumerate(zip(spans, texts, strict=True), 1)
    )
    return Script(language="es", lines=lines)


SCRIPT = Script(
    language="es",
    lines=tuple(
        Line(id=line_id(n), speaker="S1", span=TimeSpan(start_s=n, end_s=n + 0.5), source_text="x", target_text=text)
        for n, text in ((1, "uno"), (2, "dos: tres"))
    ),
)


@given(scripts())
def test_what_is_shown_and_given_back_changes_nothing(script: Script) -> None:
    assert edit_lines(script, as_edits(script)) == script


@given(scripts(), st.data())
def test_only_the_named_line_changes(script: Script, data: st.DataObject) -> None:
    if not script.lines:
        return
    index = data.draw(st.integers(0, len(script.lines) - 1))
    edited = edit_lines(script, f"{script.lines[index].id}:  nuevo   texto ")
    assert edited.lines[index].target_text == "nuevo texto"
    assert [line for n, line in enumerate(edited.lines) if n != index] == [
        line for n, line in enumerate(script.lines) if n != index
    ]


def test_a_text_may_hold_colons_and_an_empty_one_keeps_the_voice() -> None:
    edited = edit_lines(SCRIPT, "L0001:\n\nL0002: a las 8:30\n")
    assert [line.target_text for line in edited.lines] == [None, "a las 8:30"]


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ("L0009: nada", "'L0009' is not in the script: its lines are L0001 to L0002"),
        ("just words", "has no 'ID: text'"),
        ("L0001: a\nL0001: b", "'L0001' is edited twice"),
    ],
)
def test_a_wrong_edit_is_named(edits: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        edit_lines(SCRIPT, edits)
