"""Tokens: what upstream makes of the same texts, and what holds for any text."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.jamflow.config import RELEASED_VOCABULARY_SIZE
from models.jamflow.tokens import Vocabulary, released_vocabulary, token_ids, tokenize
from schemas.errors import WeightsError

ENTRIES = 30
PUBLISHED_CRLF_SHA256 = "2a05f992e00af9b0bd3800a8d23e78d520dbd705284ed2eedb5f4bd29398fa3c"  # beside F5TTS_v1_Base
HAN = st.characters(min_codepoint=0x3100, max_codepoint=0x9FFF)
THREE_BYTES = st.characters(min_codepoint=0x800, max_codepoint=0xFFFF, exclude_categories=("Cs",))
MIXED = st.text(st.one_of(HAN, THREE_BYTES, st.characters(exclude_categories=("Cs",)), st.sampled_from("a; é'〇😀")))


@pytest.fixture(scope="module")
def rules(shared_dir: Path) -> dict[str, Any]:
    rules: dict[str, Any] = json.loads((shared_dir / "parity" / "f5tts.json").read_text(encoding="utf-8"))["rules"]
    return rules


@pytest.mark.shared
@pytest.mark.parametrize("entry", range(ENTRIES))
def test_parity_tokenizer(rules: dict[str, Any], entry: int) -> None:
    golden = rules["tokenizer"][entry]
    tokens = tokenize(golden["text"])
    assert tokens == golden["expect"]["tokens"]
    assert released_vocabulary().ids(tokens) == golden["expect"]["ids"]


@pytest.mark.shared
def test_parity_token_batch(rules: dict[str, Any]) -> None:
    for golden in rules["token_batch"]:
        assert token_ids(golden["texts"], released_vocabulary()).tolist() == golden["expect"]["ids"]


@pytest.mark.shared
def test_parity_leaves_no_golden_out(rules: dict[str, Any]) -> None:
    assert len(rules["tokenizer"]) == ENTRIES


@pytest.mark.shared
def test_parity_vocabulary_is_the_released_file(shared_dir: Path) -> None:
    content = (shared_dir / "parity" / "vocab.txt").read_bytes()
    assert released_vocabulary().sha256 == hashlib.sha256(content).hexdigest()


def test_the_vocabulary_is_that_beside_the_released_weights() -> None:
    entries = released_vocabulary().entries
    with_crlf = "".join(f"{entry}\r\n" for entry in entries).encode()
    assert hashlib.sha256(with_crlf).hexdigest() == PUBLISHED_CRLF_SHA256
    assert len(entries) == RELEASED_VOCABULARY_SIZE
    assert released_vocabulary().ids([" ", "!", "a", "z", "zuo4", "no such token"]) == [0, 1, 62, 1294, 1412, 0]


@given(st.text(st.characters(max_codepoint=127).filter(lambda letter: letter != ";")))
def test_ascii_only_gains_spaces(text: str) -> None:
    tokens = iter(tokenize(text))
    assert all(any(token == letter for token in tokens) for letter in text)  # in order
    assert "".join(tokenize(text)).replace(" ", "") == text.replace(" ", "")


@given(MIXED)
def test_any_text_has_at_least_a_token_a_letter(text: str) -> None:
    tokens = tokenize(text)
    assert len(tokens) >= len(text)
    assert all(tokens)
    assert not set(";“”‘’") & set(tokens)


@given(st.lists(MIXED, max_size=4))
def test_rows_are_the_texts_then_padding(texts: list[str]) -> None:
    ids = token_ids(texts, released_vocabulary())
    rows = [released_vocabulary().ids(tokenize(text)) for text in texts]
    assert ids.shape == (len(texts), max(map(len, rows), default=0))
    for row, numbers in zip(ids.tolist(), rows, strict=True):
        assert row == numbers + [-1] * (ids.shape[1] - len(numbers))


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",))), unique=True))
def test_line_ends_make_no_difference(more: list[str]) -> None:
    entries = (" ", *(entry for entry in more if entry != " "))
    lf, crlf = ("".join(entry + end for entry in entries).encode() for end in ("\n", "\r\n"))
    vocabulary = Vocabulary.from_bytes(lf, "lf")
    assert vocabulary == Vocabulary.from_bytes(crlf, "crlf") == Vocabulary(entries)
    assert vocabulary.sha256 == Vocabulary.from_bytes(crlf, "crlf").sha256 == hashlib.sha256(lf).hexdigest()
    assert vocabulary.ids(entries) == list(range(len(entries)))


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_bytes(b" \na\nb")
    assert Vocabulary.from_file(tmp_path / "vocab.txt").ids("b") == [2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \na\nb\na\n", "has 'a' twice, in lines 2 and 4"),
        (b" \n\xff\n", r"is not UTF-8 \(byte 2\)"),
        (b"\na\n", "starts with '' instead of the line of a single space"),
        (b"\xef\xbb\xbf \na\n", "starts with '\\\\ufeff '"),
        (None, "cannot be read"),
    ],
)
def test_a_bad_vocabulary_is_told_with_its_file(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "vocab.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(WeightsError, match=message) as told:
        Vocabulary.from_file(file)
    assert str(file) in str(told.value) and "take the vocab.txt" in str(told.value)
    assert "\n" not in str(told.value)
