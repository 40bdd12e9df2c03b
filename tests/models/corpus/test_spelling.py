"""Phones of timed words share exactly the words' time."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.corpus.manifest import Entry, read_manifest
from models.corpus.phones import PAUSE, TimedPhone, phone_vocabulary
from models.corpus.spelling import shared, spelled, timed_phones, weight, word_phones
from schemas.errors import RequestError
from schemas.media import TimeSpan
from schemas.speech import Word

SPOKEN = [entry for entry in phone_vocabulary().entries if entry not in (" ", PAUSE, "?")]


@given(st.lists(st.sampled_from(SPOKEN), min_size=1, max_size=12), st.floats(0, 5), st.floats(0.05, 2))
def test_a_words_phones_share_its_time(phones: list[str], start_s: float, length_s: float) -> None:
    timed = shared(phones, start_s, start_s + length_s)
    assert [one.phone for one in timed] == phones
    assert timed[0].start_s == start_s and timed[-1].end_s == pytest.approx(start_s + length_s)
    assert all(one.end_s == other.start_s and one.duration_s > 0 for one, other in pairwise(timed))
    unit_s = length_s / sum(map(weight, phones))
    assert [one.duration_s for one in timed] == pytest.approx([unit_s * weight(phone) for phone in phones])


def test_vowels_are_longer_than_consonants_and_stops_shorter() -> None:
    assert weight("t") < weight("s") < weight("a") < weight("ˈa") < weight("ˈaː")


def entry(words: list[tuple[str, float, float]], language: str = "en-GB", phones: tuple[TimedPhone, ...] = ()) -> Entry:
    timed = tuple(Word(text=word, span=TimeSpan(start_s=start_s, end_s=end_s)) for word, start_s, end_s in words)
    return Entry("c", Path("c.wav"), "s", language, "train", "text", False, phones, timed, 0)


def test_a_clip_is_covered_from_its_start_to_its_end() -> None:
    timed = timed_phones(entry([("bin", 0.5, 0.8), ("blue", 0.8, 1.1), ("f", 1.3, 1.5)]), 2.0)
    assert timed[0] == TimedPhone(PAUSE, 0.0, 0.5) and timed[-1].end_s == 2.0
    assert all(one.end_s == pytest.approx(other.start_s) for one, other in pairwise(timed))
    pauses = [one for one in timed if one.phone == PAUSE]
    assert [one.start_s for one in pauses] == pytest.approx([0.0, 1.1, 1.5])
    assert [one.end_s for one in pauses] == pytest.approx([0.5, 1.3, 2.0])


def test_words_that_overlap_are_put_after_each_other() -> None:
    timed = timed_phones(entry([("bin", 0.2, 0.8), ("blue", 0.6, 1.1)]), 1.2)
    assert all(one.end_s == pytest.approx(other.start_s) for one, other in pairwise(timed))
    assert max(one.end_s for one in timed) == 1.2


def test_a_letter_is_called_by_its_name() -> None:
    letter = word_phones(Word(text="f", span=TimeSpan(start_s=0, end_s=1)), "en-GB")
    assert letter == spelled("F", "en-GB") and len(letter) == 2 and letter[-1] == "f"


def test_phones_that_a_corpus_gives_are_kept_and_without_either_there_are_none() -> None:
    given_phones = (TimedPhone("p", 0.0, 0.3), TimedPhone("a", 0.3, 0.9))
    assert timed_phones(entry([("pa", 0.1, 0.2)], phones=given_phones), 1.0) == given_phones
    assert timed_phones(entry([]), 1.0) == ()


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(RequestError, match="'xx'"):
        timed_phones(entry([("bin", 0.2, 0.8)], language="xx"), 1.0)


@pytest.mark.shared
def test_every_sentence_of_grid_can_be_spelled(shared_dir: Path) -> None:
    listed = read_manifest(shared_dir / "corpus" / "grid_s1" / "grid_s1.jsonl")[:60]
    for one in listed:
        timed = timed_phones(one, 3.0)
        words_s = sum(word.span.duration_s for word in one.words)
        assert sum(phone.duration_s for phone in timed if phone.phone != PAUSE) == pytest.approx(words_s, abs=1e-6)
        assert timed[0].start_s == 0 and timed[-1].end_s == 3.0
