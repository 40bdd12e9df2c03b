"""Heard words aligned with written ones: nothing is lost, and only real differences are marked."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from media.report.lines import differences

WORDS = st.lists(st.sampled_from(["Hola", "hola,", "—", "mundo", "¿qué?", "día", "día", "早上好", "ทำ", "हिन्दी"]))


@given(WORDS, WORDS)
def test_differences_hold_both_texts(written: list[str], heard: list[str]) -> None:
    runs = differences(" ".join(written), " ".join(heard))
    assert letters("".join(r.text for r in runs if r.change != "missing")) == letters(" ".join(heard))
    left = "".join(r.text for r in runs if r.change != "added")
    assert letters(left) == letters(" ".join(written))


@given(WORDS)
def test_case_and_punctuation_are_no_difference(words: list[str]) -> None:
    runs = differences(" ".join(words), " ".join(words).upper().replace(",", " !"))
    assert all(run.change == "same" for run in runs)


def letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFC", text).casefold() if unicodedata.category(c)[0] in "LMN")
