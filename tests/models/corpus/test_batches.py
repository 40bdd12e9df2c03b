"""Batches: every clip once in each epoch, never more frames than allowed, any batch at any time."""

import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))  # with importlib, tests do not find their neighbours

from small_clips import small_clip

from models.corpus.batches import Batches
from schemas.errors import RequestError

LENGTHS = st.lists(st.integers(2, 40), min_size=1, max_size=30)


def batches_of(lengths: list[int], seed: int, frames: int = 200) -> Batches:
    clips = [small_clip(number, length, has_face=False) for number, length in enumerate(lengths)]
    return Batches(clips, frames=frames, seed=seed)


@settings(max_examples=25)
@given(LENGTHS, st.integers(0, 9))
def test_every_epoch_holds_every_clip_once(lengths: list[int], seed: int) -> None:
    batches = batches_of(lengths, seed)
    number = 0
    for _ in range(3):
        epoch: Counter[str] = Counter()
        while epoch.total() < len(lengths):
            epoch.update(clip.id for clip in batches[number])
            number += 1
        assert epoch == {f"clip-{n}": 1 for n in range(len(lengths))}


@settings(max_examples=25)
@given(LENGTHS, st.integers(0, 9))
def test_no_batch_is_larger_than_the_budget_with_its_padding(lengths: list[int], seed: int) -> None:
    batches = batches_of(lengths, seed)
    for number in range(40):
        batch = batches[number]
        assert batch and len(batch) * max(len(clip.mel) for clip in batch) <= 200


@settings(max_examples=25)
@given(LENGTHS, st.integers(0, 9), st.integers(0, 60))
def test_a_batch_is_a_function_of_its_number(lengths: list[int], seed: int, number: int) -> None:
    walked = batches_of(lengths, seed)
    for before in range(number):
        walked[before]
    assert [clip.id for clip in walked[number]] == [clip.id for clip in batches_of(lengths, seed)[number]]


def test_epochs_and_seeds_differ() -> None:
    lengths = [20 + n % 5 for n in range(40)]
    first, other = batches_of(lengths, 0), batches_of(lengths, 1)
    epoch = len(first._epoch(0))
    orders = [
        [[clip.id for clip in batches[start + n]] for n in range(5)]
        for batches, start in ((first, 0), (first, epoch), (other, 0))
    ]
    assert orders[0] != orders[1] and orders[0] != orders[2]


def test_padding_is_a_small_share() -> None:
    batches = batches_of([5 + n % 36 for n in range(400)], 0, frames=1500)
    padded = real = 0
    for number in range(30):
        lengths = [len(clip.mel) for clip in batches[number]]
        padded, real = padded + len(lengths) * max(lengths), real + sum(lengths)
    assert real / padded > 0.9


def test_what_cannot_be_batched_is_refused() -> None:
    with pytest.raises(RequestError, match="clip clip-0 has 60 frames, a batch 50: enlarge the batch"):
        batches_of([16], 0, frames=50)
    with pytest.raises(RequestError, match="no clip to train on"):
        Batches([], frames=50, seed=0)
