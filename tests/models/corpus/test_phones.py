"""Letters to phones: nothing is lost, marks go to the vowel they belong to."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.corpus.phones import PAUSE, STRESS, VOWELS, TimedPhone, merged, phone_vocabulary, phones_of

LETTERS = st.text(alphabet="pˈˌaiːt .,?sʃQ9…", max_size=40)


def names(spelled: str) -> list[str]:
    return [phone for phone, _ in phones_of(spelled)]


def test_marks_belong_to_vowels() -> None:
    assert names("sˈiːt") == ["s", "ˈiː", "t"]
    assert names("ˈstɑ") == ["s", "t", "ˈɑ"], "a stress before consonants waits for the vowel"
    assert names("ˌaˈa") == ["a", "ˈa"], "the weaker stress is none"
    assert names("a, t?") == ["a", PAUSE, "t", "?"]
    assert names("tː") == ["t"], "a length mark after what is never long is left out"
    assert names("a9t") == ["a", "t"], "as is a letter that is not known"


def test_places_are_those_of_the_letters() -> None:
    assert phones_of("ˈsiː t") == [("s", [0, 1]), ("ˈiː", [2, 3, 4]), ("t", [5])]


@given(LETTERS)
def test_every_letter_but_a_mark_belongs_to_one_phone_and_phones_end_in_order(spelled: str) -> None:
    found = phones_of(spelled)
    places = [place for _, own in found for place in own]
    ends = [own[-1] for _, own in found]
    assert len(places) == len(set(places)) and all(one < other for one, other in pairwise(ends))
    assert {phone for phone, _ in found} <= set(phone_vocabulary().entries)
    unmarked = {place for place, letter in enumerate(spelled) if letter not in "ˈˌ"}
    if found:
        first = min(place for place in unmarked if place in found[0][1])
        assert {place for place in unmarked if place >= first} <= set(places)


@given(LETTERS)
def test_only_vowels_are_stressed(spelled: str) -> None:
    assert all(phone[1] in VOWELS for phone in names(spelled) if phone.startswith(STRESS))


def test_the_vocabulary_has_no_entry_twice_and_begins_with_the_space() -> None:
    entries = phone_vocabulary().entries
    assert len(entries) == len(set(entries)) and entries[0] == " "


@given(st.lists(st.tuples(st.sampled_from([PAUSE, "p", "a"]), st.floats(0, 0.5)), max_size=15))
def test_merged_covers_the_same_time_and_has_no_two_pauses_in_a_row(parts: list[tuple[str, float]]) -> None:
    timed, at_s = [], 0.0
    for phone, length_s in parts:
        timed.append(TimedPhone(phone, at_s, at_s + length_s))
        at_s += length_s
    kept = merged(timed)
    assert all(phone.duration_s > 0 for phone in kept)
    assert not any(one.phone == other.phone == PAUSE for one, other in pairwise(kept))
    if kept:
        assert (kept[0].start_s, kept[-1].end_s) == (0.0, at_s)
        assert all(one.end_s == other.start_s for one, other in pairwise(kept))
    spoken = [phone.phone for phone in timed if phone.phone != PAUSE and phone.duration_s > 0]
    assert [phone.phone for phone in kept if phone.phone != PAUSE] == spoken
