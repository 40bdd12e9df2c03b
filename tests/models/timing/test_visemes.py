"""Every phone looks like something, and what looks alike is one class."""

import numpy as np
import pytest

from models.corpus.phones import PAUSE, STRESS, phone_vocabulary
from models.timing.visemes import VISEMES, viseme_of_phone


def test_no_letter_is_in_two_classes() -> None:
    letters = "".join(VISEMES)
    assert len(letters) == len(set(letters))


def test_every_phone_that_can_be_spoken_has_a_class_of_its_own() -> None:
    entries = phone_vocabulary().entries
    classes = viseme_of_phone()
    assert len(classes) == len(entries) and classes.min() == 0 and classes.max() == len(VISEMES) - 1
    resting = [entry for entry, number in zip(entries, classes, strict=True) if number == 0]
    known = set("".join(VISEMES))
    # Only pauses rest; what else does is in no class at all.
    assert all(entry in (PAUSE, "?") or entry.removeprefix(STRESS)[0] not in known for entry in resting)


@pytest.mark.parametrize("alike", ["pbm", "fv", "kɡŋ"])
def test_what_lips_show_alike_is_one_class(alike: str) -> None:
    assert len(set(viseme_of_phone()[phone_vocabulary().ids(alike)])) == 1


def test_stress_and_length_change_no_lips() -> None:
    numbers = viseme_of_phone()[phone_vocabulary().ids(["a", "aː", "ˈa", "ˈaː"])]
    assert (np.asarray(numbers) == numbers[0]).all() and numbers[0] != 0
