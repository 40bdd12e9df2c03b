"""Clips to batches: pairs of one speaker, padding, text by phones or by letters."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))  # with importlib, tests do not find their neighbours

from small_clips import MEL_PER_SECOND, small_clip

from models.corpus.collate import LONGEST_PAIR, Placing, collate, in_pairs, joined, lettered, placed
from models.jamflow.tokens import PADDING, released_vocabulary, token_ids

AS_THEY_ARE = Placing(paired=0, even=0, true=1, spread=0)


def test_a_pair_is_one_clip_after_the_other() -> None:
    first, second = small_clip(0, 20, has_face=True), small_clip(2, 25, has_face=True)
    pair = joined(first, second)
    for name in ("mel", "mouth", "rest", "visible", "phones"):
        assert np.array_equal(getattr(pair, name), np.concatenate([getattr(first, name), getattr(second, name)]))
    starts_s = len(first.mel) / MEL_PER_SECOND
    assert len(pair.edges_s) == len(pair.phones) + 1 and (np.diff(pair.edges_s) > 0).all()
    assert pair.edges_s[len(first.phones)] == starts_s and pair.edges_s[-1] == starts_s + second.edges_s[-1]
    alone = [placed(clip, AS_THEY_ARE, np.random.default_rng(0)) for clip in (first, second)]
    assert np.array_equal(placed(pair, AS_THEY_ARE, np.random.default_rng(0)), np.concatenate(alone))


def test_only_clips_of_one_speaker_and_not_too_long_are_paired() -> None:
    clips = [small_clip(number, 20, has_face=False) for number in range(5)]  # speakers 0 1 0 1 0
    pairs = in_pairs(clips)
    assert sorted(pair.id for pair in pairs) == ["clip-0+clip-2", "clip-1+clip-3", "clip-4"]
    long = [small_clip(number, 160, has_face=False) for number in (0, 2)]
    assert len(long[0].mel) + len(long[1].mel) > LONGEST_PAIR
    assert [clip.id for clip in in_pairs(long)] == ["clip-0", "clip-2"]


def test_a_batch_is_its_clips_padded() -> None:
    clips = [small_clip(0, 20, has_face=True), small_clip(1, 30, has_face=False)]
    batch = collate(clips, AS_THEY_ARE, np.random.default_rng(0))
    assert batch.audio is not None and batch.motion is not None
    assert batch.audio.lengths.tolist() == [75, 112] and batch.motion.lengths.tolist() == [20, 0]
    assert torch.equal(batch.audio.mel[0, :75], torch.from_numpy(clips[0].mel).float())
    assert not batch.audio.mel[0, 75:].any() and (batch.audio.tokens[0, 75:] == PADDING).all()
    assert torch.equal(batch.motion.mouth[0], torch.from_numpy(clips[0].mouth)) and not batch.motion.visible[1].any()


def test_of_imagined_mouths_nothing_else_of_the_face_is_known() -> None:
    real, imagined = small_clip(0, 20, has_face=True), replace(small_clip(2, 25, has_face=True), is_imagined=True)
    batch = collate([real, imagined], AS_THEY_ARE, np.random.default_rng(0))
    assert batch.motion is not None and batch.motion.has_rest.tolist() == [True, False]


def test_sound_alone_has_no_motion() -> None:
    assert collate([small_clip(1, 30, has_face=False)], AS_THEY_ARE, np.random.default_rng(0)).motion is None


@pytest.mark.parametrize("placing", [replace(AS_THEY_ARE, even=1, true=0), Placing(0, 0, 0, 0.3)])
def test_phones_are_placed_otherwise_in_the_same_order(placing: Placing) -> None:
    clip = small_clip(0, 30, has_face=False)
    ids = placed(clip, placing, np.random.default_rng(1))
    assert len(ids) == len(clip.mel) and not np.array_equal(ids, placed(clip, AS_THEY_ARE, np.random.default_rng(1)))
    changes = ids[np.flatnonzero(np.diff(ids, prepend=-9))]
    assert changes.tolist() == clip.phones.tolist()


def test_a_clip_without_phones_has_no_text() -> None:
    clip = replace(small_clip(0, 20, has_face=False), phones=np.zeros(0, np.int64), edges_s=np.zeros(0))
    assert (placed(clip, AS_THEY_ARE, np.random.default_rng(0)) == PADDING).all()


def test_letters_are_read_as_f5_tts_reads_them() -> None:
    clips = [small_clip(0, 20, has_face=True), replace(small_clip(1, 30, has_face=True), text="Moo!")]
    batch = collate(clips, AS_THEY_ARE, np.random.default_rng(0), lettered(released_vocabulary()))
    assert batch.audio is not None
    assert torch.equal(batch.audio.tokens, token_ids([clip.text for clip in clips], released_vocabulary()))
