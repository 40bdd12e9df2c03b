"""Word error rate, and sharing out what was heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.numbers import spell, spell_numbers
from models.evaluation.words import assign_heard, normalise, pooled_word_error_rate, word_error_rate
from schemas.media import TimeSpan
from schemas.speech import Line, Word

sentences = st.lists(st.sampled_from(["casa", "verde", "mar", "perro", "corre"]), max_size=8).map(" ".join)


@given(sentences)
def test_the_same_words_have_no_error(text: str) -> None:
    assert word_error_rate(text, text.upper() + "!", "es") == 0.0


@given(sentences, sentences)
def test_the_rate_lies_between_none_and_all(reference: str, hypothesis: str) -> None:
    rate = word_error_rate(reference, hypothesis, "es")
    assert 0.0 <= rate <= 1.0
    assert (rate == 0.0) == (reference == hypothesis)


@given(st.lists(st.tuples(sentences, sentences), min_size=1, max_size=5))
def test_the_pooled_rate_of_one_line_is_its_own(pairs: list[tuple[str, str]]) -> None:
    assert pooled_word_error_rate(pairs[:1], "es") == word_error_rate(*pairs[0], "es")
    pooled = pooled_word_error_rate(pairs, "es")
    assert pooled is not None and 0.0 <= pooled <= 1.0


def test_errors_are_counted_as_the_field_counts_them() -> None:
    assert word_error_rate("uno dos tres cuatro", "uno dos tres", "es") == 0.25
    assert word_error_rate("uno dos", "uno x dos", "es") == 0.5
    assert word_error_rate("uno", "a b c d", "es") == 1.0
    assert pooled_word_error_rate([("uno dos tres", "uno dos tres"), ("cuatro", "cinco")], "es") == 0.25
    assert pooled_word_error_rate([], "es") is None


@pytest.mark.parametrize(
    ("language", "asked", "heard"),
    [
        ("en-US", "It's twenty-one, isn't it?", "it is 21 is not it"),
        ("es-419", "¡Tengo 13 años!", "tengo trece años"),
        ("de", "Artikel 13", "artikel dreizehn"),
        ("fr", "Il est 21 heures.", "il est vingt et un heures"),
        ("zh", "甚至出现。", "甚至 出现"),
    ],
)
def test_ways_of_writing_do_not_count(language: str, asked: str, heard: str) -> None:
    assert normalise(asked, language) == normalise(heard, language)


@pytest.mark.parametrize(
    ("number", "language", "words"),
    [
        (99, "es", "noventa y nueve"),
        (31, "es", "treinta y uno"),
        (21, "de", "einundzwanzig"),
        (70, "fr", "soixante-dix"),
        (71, "fr", "soixante et onze"),
        (80, "fr", "quatre-vingts"),
        (81, "fr", "quatre-vingt-un"),
        (99, "fr", "quatre-vingt-dix-neuf"),
        (28, "it", "ventotto"),
        (33, "it", "trentatré"),
        (45, "pt", "quarenta e cinco"),
    ],
)
def test_numbers_are_spelt(number: int, language: str, words: str) -> None:
    assert spell(number, language) == words


@pytest.mark.parametrize("text", ["3.5", "12:30", "1984", "50%", "7,5", "x"])
def test_other_numerals_stay(text: str) -> None:
    assert spell_numbers(text, "es") == text
    assert spell_numbers("13", "ja") == "13"


def _line(number: int, start_s: float, end_s: float) -> Line:
    return Line(id=f"L{number:04d}", speaker="S1", span=TimeSpan(start_s=start_s, end_s=end_s), source_text="")


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0.05, 2)), max_size=20))
def test_every_heard_word_belongs_to_one_line(times: list[tuple[float, float]]) -> None:
    words = [
        Word(text=f"w{index}", span=TimeSpan(start_s=start_s, end_s=start_s + length_s))
        for index, (start_s, length_s) in enumerate(sorted(times))
    ]
    heard = assign_heard(words, [_line(1, 1.0, 4.0), _line(2, 5.0, 9.0), _line(3, 15.0, 16.0)])
    assert list(heard) == ["L0001", "L0002", "L0003"]
    assert sorted(" ".join(heard.values()).split()) == sorted(word.text for word in words)


def test_words_go_to_the_line_they_lie_in() -> None:
    words = [
        Word(text="early", span=TimeSpan(start_s=0.2, end_s=0.5)),
        Word(text="over", span=TimeSpan(start_s=3.8, end_s=4.2)),
        Word(text="second", span=TimeSpan(start_s=4.5, end_s=5.2)),
    ]
    assert assign_heard(words, [_line(1, 1.0, 4.0), _line(2, 5.0, 9.0)]) == {"L0001": "early over", "L0002": "second"}
    assert assign_heard(words, []) == {}
