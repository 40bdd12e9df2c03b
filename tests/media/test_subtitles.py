"""Scripts as people write them; subtitles as players read them."""

import json
import logging
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from media.subtitles import read_script, write_srt, write_webvtt
from schemas.errors import RequestError
from schemas.media import TimeSpan
from schemas.speech import Cue

HELLO = Cue(span=TimeSpan(start_s=1.0, end_s=2.5), text="Hello there.", speaker="Ann")
ANSWER = Cue(span=TimeSpan(start_s=3661.25, end_s=3662.0), text="¿Qué tal? Así, así.", speaker="Bob")

SCRIPTS = {
    "a.srt": "1\n00:00:01,000 --> 00:00:02,500\n[Ann] <i>Hello</i>\nthere.\n\n"
    "2\n01:01:01,250 --> 01:01:02,000 X1:40\n{\\an8}[Bob]¿Qué tal?\nAsí, así.\n",
    "b.vtt": "WEBVTT - a title\n\nNOTE not\nspoken\n\nSTYLE\n::cue { color: red }\n\nintro\n"
    "00:01.000 --> 00:02.500 align:start\n<v.loud Ann>Hello <00:01.500><c>there.</c></v>\n\n"
    "01:01:01.250 --> 01:01:02.000\n<v Bob>¿Qué&nbsp;tal? Así, así.",
    "c.json": json.dumps(
        [
            {"start_s": 1, "end_s": 2.5, "text": "Hello there.", "speaker": "Ann"},
            {"start": "1:01:01.25", "end": 3662, "text": "¿Qué tal? Así,\nasí.", "speaker": "Bob"},
        ]
    ),
    "d.csv": 'start,end,text,speaker\n1.0,2.5,Hello there.,Ann\n01:01:01.25,3662,"¿Qué tal?\nAsí, así.",Bob\n',
    "e.csv": "Speaker;Start;End;Text\nAnn;1,0;0:02,5;Hello there.\nBob;01:01:01,250;3662;¿Qué tal? Así, así.\n",
    "f.TSV": "start\tend\tspeaker\ttext\r\n1\t2.5\tAnn\tHello there.\r\n3661.25\t3662\tBob\t¿Qué tal? Así, así.\r\n",
}


def _write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _srt(*cues: tuple[float, float, str]) -> str:
    return "\n".join(f"{number}\n{_clock(a)} --> {_clock(b)}\n{text}\n" for number, (a, b, text) in enumerate(cues, 1))


def _clock(time_s: float) -> str:
    sign, milliseconds = "-" if time_s < 0 else "", round(abs(time_s) * 1000)
    minutes = milliseconds // 60_000
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds // 1000 % 60:02d},{milliseconds % 1000:03d}"


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_same_script_in_every_format(tmp_path: Path, name: str, encoding: str, newline: str) -> None:
    content = SCRIPTS[name].replace("\r\n", "\n").replace("\n", newline)
    assert read_script(_write(tmp_path, name, content.encode(encoding))) == (HELLO, ANSWER)


def test_speakers_are_optional(tmp_path: Path) -> None:
    path = _write(tmp_path, "a.srt", _srt((1, 2, "NOTE: a colon names nobody"), (3, 4, "two [aside] three")))
    assert [(cue.text, cue.speaker) for cue in read_script(path)] == [
        ("NOTE: a colon names nobody", None),
        ("two [aside] three", None),
    ]


def test_a_json_document_may_hold_its_cues_under_lines(tmp_path: Path) -> None:
    document = {"language": "es", "lines": [{"start_s": 0, "end_s": 1, "text": "Hola", "id": 5}]}
    (cue,) = read_script(_write(tmp_path, "a.json", json.dumps(document)))
    assert cue == Cue(span=TimeSpan(start_s=0, end_s=1), text="Hola")


def test_cues_out_of_order_are_sorted_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = _write(tmp_path, "a.srt", _srt((5, 6, "later"), (1, 2, "sooner")))
    with caplog.at_level(logging.WARNING):
        assert [cue.text for cue in read_script(path)] == ["sooner", "later"]
    assert "not in time order" in caplog.text


def test_a_tiny_overlap_is_trimmed_and_other_speakers_may_overlap(tmp_path: Path) -> None:
    path = _write(tmp_path, "a.srt", _srt((1, 2.02, "[A] one"), (1.5, 3, "[B] over"), (2, 3, "[A] two")))
    assert [(cue.span.start_s, cue.span.end_s) for cue in read_script(path)] == [(1, 2), (1.5, 3), (2, 3)]


GOOD = (1.0, 2.0, "good")
BAD_SCRIPTS = {
    "negative": ("a.srt", _srt(GOOD, (-3, 4, "x")), "cue 2 starts before 0"),
    "backwards": ("a.srt", _srt(GOOD, (5, 4, "x")), r"cue 2 does not end after it starts \(5 s to 4 s\)"),
    "no length": ("a.srt", _srt((5, 5, "x")), "cue 1 does not end"),
    "overlap": ("a.srt", _srt(GOOD, (1.97, 4, "x")), "cue 2 starts at 1.97 s, before cue 1 ends"),
    "overlap out of order": ("a.srt", _srt((3, 4, "x"), (1, 3.5, "y")), "cue 1 starts at 3 s, before cue 2 ends"),
    "same start": ("a.srt", _srt((1, 1.01, "x"), (1, 2, "y")), "cue 2 starts at 1 s, before cue 1"),
    "no text": ("a.srt", _srt(GOOD, (3, 4, "  "), (5, 6, "y")), "cue 2 at 3 s has no text"),
    "only a sound": ("a.srt", _srt((3, 4, "[Music]")), "cue 1 at 3 s has no text"),
    "only markup": ("a.srt", _srt((3, 4, "<i></i> …")), "cue 1 at 3 s has no text"),
    "no cues": ("a.srt", "hello\n", "no cues"),
    "empty": ("a.srt", "", "no cues"),
    "times": ("a.srt", "1\n00:00:0x --> 00:00:02,000\nhi", "cue 1 has no readable times in line 2"),
    "half a time": ("a.srt", "1\n00:01 -->\nhi", "cue 1 has no readable times in line 2"),
    "no header": ("a.vtt", "00:01.000 --> 00:02.000\nhi", "WEBVTT"),
    "two voices": ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n<v A>x</v><v B>y</v>", "several speakers"),
    "broken json": ("a.json", '[{"start_s": 1,', "no JSON"),
    "deep json": ("a.json", "[" * 100_000, "no JSON|must be"),
    "json of no list": ("a.json", '{"cues": []}', "list of cues"),
    "json of numbers": ("a.json", "[1]", "cue 1 must be an object"),
    "json without end": ("a.json", '[{"start_s": 1, "text": "x"}]', "cue 1 has no 'end'"),
    "json text": ("a.json", '[{"start_s": 1, "end_s": 2, "text": 5}]', "cue 1 has no text but 5"),
    "json not finite": ("a.json", '[{"start_s": 1, "end_s": Infinity, "text": "x"}]', "cannot be read"),
    "json huge": ("a.json", '[{"start_s": 1, "end_s": 1' + "0" * 400 + ', "text": "x"}]', "cannot be read"),
    "json bool": ("a.json", '[{"start_s": true, "end_s": 2, "text": "x"}]', "cannot be read"),
    "csv time": ("a.csv", "start,end,text\n1,soon,x", "'soon'"),
    "csv header": ("a.csv", "from,to,text\n1,2,x", "cue 1 has no 'start'"),
    "csv comma": ("a.csv", "start,end,text\n1,2,one, two", "row 1 has more fields"),
    "latin 1": ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nseñor".encode("latin-1"), "0xf1 at offset 34.*iconv"),
    "cut utf-16": ("a.srt", b"\xff\xfea\x00b", "UTF-16"),
    "binary": ("a.srt", b"\x00\x00\x00 ftypmp42", "zero byte"),
    "another format": ("a.docx", "x", "supported are .srt"),
    "no suffix": ("script", "x", "supported are .srt"),
}


@pytest.mark.parametrize(("name", "content", "said"), BAD_SCRIPTS.values(), ids=BAD_SCRIPTS)
def test_a_bad_script_is_refused_in_one_line(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    path = _write(tmp_path, name, content)
    with pytest.raises(RequestError, match=said) as caught:
        read_script(path)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_no_small_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.srt").mkdir()
    _write(tmp_path, "large.srt", "x" * 11)
    for name, said in [("folder.srt", "directory"), ("absent.srt", "No such file"), ("large.srt", "larger than 10")]:
        with pytest.raises(RequestError, match=said):
            read_script(tmp_path / name, max_bytes=10)


def test_any_name_of_a_file_is_read_and_told_in_one_line(tmp_path: Path) -> None:
    for name in ["- a.srt", 'it\'s "a".srt', "new\nline.srt"]:
        assert len(read_script(_write(tmp_path, name, _srt(GOOD)))) == 1
        with pytest.raises(RequestError) as caught:
            read_script(_write(tmp_path, name, b"\xff\xf0"))
        assert "\n" not in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(
    content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)),
    suffix=st.sampled_from([".srt", ".vtt", ".json", ".csv"]),
)
@example(b'start,end,text\n1,2,"x', ".csv")
@example(b"WEBVTT\n\n-->", ".vtt")
def test_any_bytes_are_cues_or_a_request_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    path = _write(tmp_path_factory.getbasetemp(), f"any{suffix}", content)
    try:
        assert read_script(path)
    except RequestError as error:
        assert "\n" not in str(error)


words = st.text(st.characters(codec="utf-8", categories=["Ll", "Lu", "Nd"]), min_size=1, max_size=12)
texts = st.one_of(
    st.lists(words, min_size=1, max_size=40).map(" ".join),
    st.text("你好世界我们 a今天去海边。", min_size=1, max_size=120).map(lambda text: " ".join(f"好{text}".split())),
)
placed_texts = st.lists(st.tuples(st.floats(0.0, 0.5), st.floats(2.0, 20.0), texts), min_size=1, max_size=6)


@settings(max_examples=100, deadline=None)
@given(placed=placed_texts, suffix=st.sampled_from([".srt", ".vtt"]))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, placed: list[tuple[float, float, str]], suffix: str
) -> None:
    lines, now_s = [], 0.0
    for pause_s, duration_s, text in placed:
        lines.append((TimeSpan(start_s=now_s + pause_s, end_s=now_s + pause_s + duration_s), text))
        now_s += pause_s + duration_s
    written = write_srt(lines) if suffix == ".srt" else write_webvtt(lines)
    cues = read_script(_write(tmp_path_factory.getbasetemp(), f"written{suffix}", written))
    for earlier, later in pairwise(cues):
        assert later.span.start_s - earlier.span.end_s >= 0.078 or earlier.span.duration_s < 0.202
    for span, text in lines:
        shown = [cue for cue in cues if span.start_s - 0.001 <= cue.span.start_s < span.end_s - 0.001]
        assert _squeezed("".join(cue.text for cue in shown)) == _squeezed(text)
        assert shown[0].span.start_s == pytest.approx(span.start_s, abs=0.001)
        assert shown[-1].span.end_s == pytest.approx(span.end_s, abs=0.085)
        if len(shown) == 1:
            assert shown[0].text == text


def _squeezed(text: str) -> str:
    return "".join(text.split())


@settings(deadline=None)
@given(text=texts)
def test_lines_are_short_and_two_at_most(text: str) -> None:
    for block in write_srt([(TimeSpan(start_s=0, end_s=60), text)]).split("\n\n"):
        shown = block.strip().split("\n")[2:]
        assert 1 <= len(shown) <= 2
        assert all(len(line) <= 42 for line in shown)


def test_lines_are_about_as_long_as_each_other() -> None:
    text = "It takes two lines to say this, and neither is a stump."
    shown = write_srt([(TimeSpan(start_s=0, end_s=3), text)]).strip().split("\n")[2:]
    assert len(shown) == 2
    assert abs(len(shown[0]) - len(shown[1])) < 10


def test_characters_that_mean_something_to_webvtt_are_escaped(tmp_path: Path) -> None:
    text = "a < b && c --> d &lt;"
    written = write_webvtt([(TimeSpan(start_s=0, end_s=3), text)])
    (cue,) = read_script(_write(tmp_path, "a.vtt", written))
    assert cue.text == text


def test_a_line_that_runs_on_under_the_next_is_trimmed_and_real_overlap_stays(tmp_path: Path) -> None:
    first, second, third = (_span(0, 2.3), "one"), (_span(2, 4), "two"), (_span(2.5, 3), "three")
    (one, two) = read_script(_write(tmp_path, "a.srt", write_srt([first, second])))
    assert (one.span.end_s, two.span.start_s) == (1.92, 2.0)
    assert "00:00:02,000 --> 00:00:04,000" in write_srt([second, third])


def _span(start_s: float, end_s: float) -> TimeSpan:
    return TimeSpan(start_s=start_s, end_s=end_s)


def test_very_short_cues_survive_the_gap() -> None:
    lines = [(TimeSpan(start_s=index / 10, end_s=(index + 1) / 10), f"word {index}") for index in range(3)]
    assert write_srt(lines).count("-->") == 3
    assert "00:00:00,000 --> 00:00:00,100" in write_srt(lines)
