"""An index is read whole, or the line that is wrong is named."""

import json
from pathlib import Path

import pytest

from models.corpus.manifest import read_manifest
from schemas.errors import RequestError

GOOD = {"id": "a", "file": "a.wav", "speaker": 7, "language": "en", "text": "moo"}


def index_of(folder: Path, *lines: object) -> Path:
    path = folder / "corpus.jsonl"
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return path


def test_a_line_says_who_says_what_and_when(tmp_path: Path) -> None:
    words = [{"word": "moo", "start_s": 0.1, "end_s": 0.5, "p": 0.9}]
    film = {
        **GOOD,
        "id": "b",
        "fps": 25,
        "words": words,
        "first_good_frame": 12,
        "picture_late_s": 0.04,
        "split": "test",
    }
    spoken = {**GOOD, "id": "c", "phones": [["m", 0.0, 0.2], ["ˈu", 0.2, 0.5]]}
    plain, filmed, timed = read_manifest(index_of(tmp_path, GOOD, "", film, spoken))
    assert (plain.id, plain.speaker, plain.split, plain.has_face) == ("a", "7", "train", False)
    assert plain.file == tmp_path / "a.wav" and plain.words == plain.phones == ()
    assert filmed.has_face and filmed.split == "test" and filmed.first_good_frame == 12
    assert filmed.picture_late_s == 0.04 and plain.picture_late_s == 0.0
    assert filmed.words[0].text == "moo" and filmed.words[0].span.end_s == 0.5
    assert [(one.phone, one.end_s) for one in timed.phones] == [("m", 0.2), ("ˈu", 0.5)]


WRONG = {
    "not JSON": "{",
    "a list": "[1]",
    "no text": {name: value for name, value in GOOD.items() if name != "text"},
    "a phone without an end": {**GOOD, "phones": [["m", 0.1]]},
    "a word without a time": {**GOOD, "words": [{"word": "moo"}]},
    "a word that ends before it begins": {**GOOD, "words": [{"word": "moo", "start_s": 2, "end_s": 1}]},
    "a picture minutes late": {**GOOD, "picture_late_s": 60},
    "out of the folder": {**GOOD, "file": "../a.wav"},
    "absolute": {**GOOD, "file": "/etc/passwd"},
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_line_is_named(case: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"corpus\.jsonl, line 2: .*docs/training\.md"):
        read_manifest(index_of(tmp_path, GOOD, WRONG[case]))


def test_a_link_does_not_lead_out_of_the_corpus(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (tmp_path / "secret.wav").write_bytes(b"")
    (folder / "a.wav").symlink_to(tmp_path / "secret.wav")
    with pytest.raises(RequestError, match="leaves the corpus"):
        read_manifest(index_of(folder, GOOD))


def test_an_index_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"none\.jsonl cannot be read \(No such file"):
        read_manifest(tmp_path / "none.jsonl")
