"""Answers to a script: edits, a whole new script, and what cannot be taken."""

from pathlib import Path

import pytest

from flows.review import AnswerForm, check_answer, revise
from media.report.review import script_page
from schemas.dub import Voice
from schemas.errors import RequestError
from schemas.media import TimeSpan
from schemas.review import Answer, Question
from schemas.speech import Line, Script, Transcript, Word
from tasks.workplace import open_workplace

SPAN = TimeSpan(start_s=0.5, end_s=1.5)
TRANSCRIPT = Transcript(
    language="en",
    lines=(Line(id="L0001", speaker="S1", span=SPAN, source_text="hello"),),
    words=(Word(text="hello", span=SPAN),),
)
SCRIPT = Script(
    language="es",
    lines=(TRANSCRIPT.lines[0].model_copy(update={"target_text": "hola"}),),
    warnings=("a cue | with <b>marks</b>",),
)


def test_approval_alone_leaves_the_script_as_it_is() -> None:
    assert revise(SCRIPT, Answer(), TRANSCRIPT, 2.0) == SCRIPT


def test_edited_lines_are_spoken_as_edited() -> None:
    assert revise(SCRIPT, Answer(edits="L0001: buenas"), TRANSCRIPT, 2.0).lines[0].target_text == "buenas"


def test_a_new_script_is_laid_over_what_was_recognised(tmp_path: Path) -> None:
    file = tmp_path / "edited.srt"
    file.write_text("1\n00:00:00,400 --> 00:00:01,600\nbuenos días\n")
    revised = revise(SCRIPT, Answer(script=str(file)), TRANSCRIPT, 2.0)
    assert [(line.source_text, line.target_text) for line in revised.lines] == [("hello", "buenos días")]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(edits="L0007: nada"), "'L0007' is not in the script"),
        (Answer(script="/nowhere/script.srt"), "cannot be read"),
        (Answer(edits="L0001: a", script="b.srt"), "not both"),
    ],
)
def test_what_cannot_be_taken_is_said(answer: Answer, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        revise(SCRIPT, answer, TRANSCRIPT, 2.0)


def test_a_script_outside_of_the_only_folder_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAMDUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JAMDUB_FILES_ROOT", str(tmp_path / "files"))
    place = open_workplace()
    kept = [
        place.store.put_bytes(value.model_dump_json().encode(), "application/json") for value in (SCRIPT, TRANSCRIPT)
    ]
    question = Question(stage="script", subject="0" * 64, script=kept[0], transcript=kept[1], duration_s=2.0, page="")
    secret = tmp_path / "secret.srt"
    secret.write_text("1\n00:00:00,400 --> 00:00:01,600\nsecreto\n")
    with pytest.raises(RequestError, match="JAMDUB_FILES_ROOT"):
        check_answer(question, Answer(script=str(secret)), place)


def test_the_page_holds_every_word_and_no_foreign_markup() -> None:
    page = script_page(SCRIPT, [Voice(speaker="S1", blend=(("af", 1.0),), similarity=0.8, median_f0_hz=120.0)])
    assert "| L0001 | S1 | 0.50 to 1.50 s | hello | hola |" in page
    assert "- a cue \\| with &lt;b>marks&lt;/b>" in page
    assert "| S1 | af 100% | 0.80 |" in page


def test_the_form_in_the_ui_is_the_answer() -> None:
    shown = AnswerForm.model_json_schema()["properties"]
    assert {name: field["title"] for name, field in shown.items()} == {
        "decision": "Decision",
        "reviewer": "Reviewer",
        "reason": "Reason",
        "edits": "Edited lines",
        "script": "Edited script",
    }
    assert shown["decision"]["enum"] == ["approve", "reject"]
