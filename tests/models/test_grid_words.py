"""The evaluator of GRID words: grammar, frames, examples, and the packaged weights on real speech."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from media.audio_io import resample
from models.alignment.network import FrameClassifierConfig
from models.grid_words.corpus import Clip, classes_of_frames, read_corpus
from models.grid_words.frames import INPUTS, STACKED, stacked
from models.grid_words.grammar import CLASSES, SILENCE, SLOTS, WORDS, class_of, slots_of_grammar, with_silences
from models.grid_words.train import measure, train
from models.grid_words.vary import plain_example, uneven, varied_example, vocoded
from models.grid_words.words import load_recogniser, locate, recognise, word_accuracy
from schemas.errors import RequestError
from schemas.media import TimeSpan
from schemas.speech import Word

RATE_HZ = 16_000
sentences = st.tuples(*(st.sampled_from(slot) for slot in SLOTS)).map(list)


def test_the_grammar_has_51_words_in_six_slots() -> None:
    assert len(set(WORDS)) == len(WORDS) == 51 and CLASSES == 52
    assert sorted(class_of(word) for word in WORDS) == list(range(1, 52))
    slots = slots_of_grammar()
    assert len(slots) == 13 and all(slot == (SILENCE,) for slot in slots[::2])
    assert sum(len(slot) for slot in slots[1::2]) == 51
    assert with_silences([]) == [(SILENCE,)]
    with pytest.raises(RequestError, match='"W" is none'):
        class_of("W")


@given(sentences, sentences)
def test_accuracy_counts_slots(heard: list[str], said: list[str]) -> None:
    assert word_accuracy(said, said) == 1.0
    assert word_accuracy(heard, said) == sum(a == b for a, b in zip(heard, said, strict=True)) / 6


@pytest.mark.parametrize("heard", [[], ["bin"]])
def test_accuracy_needs_equally_many_words(heard: list[str]) -> None:
    with pytest.raises(RequestError, match="equally many"):
        word_accuracy(heard, [])


@given(st.integers(0, 41))
def test_pairs_hold_every_frame(frames: int) -> None:
    mel = np.random.default_rng(frames).normal(size=(frames + 1, INPUTS // STACKED)).astype(np.float32)
    pairs = stacked(mel)
    assert pairs.shape == (-(-len(mel) // 2), INPUTS)
    assert np.array_equal(pairs.reshape(-1, INPUTS // STACKED)[: len(mel)], mel)


@given(sentences, st.lists(st.integers(4, 30), min_size=7, max_size=7))
def test_frames_have_the_class_of_their_word(text: list[str], lengths: list[int]) -> None:
    edges = np.cumsum(lengths)
    spans = [TimeSpan(start_s=a / 100, end_s=b / 100) for a, b in itertools.pairwise(edges)]
    words = tuple(Word(text=word, span=span) for word, span in zip(text, spans, strict=True))
    classes = classes_of_frames(words, int(edges[-1]) + 10)
    expected = [SILENCE, *(class_of(word) for word in text), SILENCE]
    assert classes.tolist() == np.repeat(expected, [*lengths, 10]).tolist()


def tones(text: list[str], seed: int) -> Clip:
    """A "sentence" whose words are two tones each, told by the word: learnt in seconds."""
    rng = np.random.default_rng(seed)
    pieces, words, reached_s = [np.zeros(RATE_HZ // 4)], [], 0.25
    for word in text:
        length_s = rng.integers(12, 25) / 100
        time_s = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
        place = class_of(word)
        pieces.append(
            sum(np.sin(2 * np.pi * hz * time_s) for hz in (250 * (1 + place % 7), 2200 * (1 + place // 7 / 6)))
        )
        words.append(Word(text=word, span=TimeSpan(start_s=reached_s, end_s=reached_s + length_s)))
        reached_s += length_s
    samples = np.concatenate([*pieces, np.zeros(RATE_HZ // 4)])
    noise = rng.normal(0, 1e-3, len(samples))
    return Clip(f"tones-{seed}", "train", (0.1 * samples + noise).astype(np.float32), tuple(words))


def tone_clips(count: int) -> list[Clip]:
    rng = np.random.default_rng(1)
    return [tones([str(rng.choice(slot[:2])) for slot in SLOTS], seed) for seed in range(count)]


@pytest.mark.parametrize("seed", range(4))
def test_varied_examples_keep_sound_and_words_together(seed: int) -> None:
    clip = tone_clips(1)[0]
    example = varied_example(clip, np.random.default_rng(seed))
    assert len(example.mel) == len(example.classes) and np.isfinite(example.mel).all()
    said = example.classes[np.flatnonzero(np.diff(example.classes, prepend=-1))]
    assert said.tolist() == [SILENCE, *(class_of(word.text) for word in clip.words), SILENCE]
    loud = example.mel.mean(axis=1)
    assert loud[example.classes != SILENCE].mean() > loud[example.classes == SILENCE].mean() + 0.3


def test_an_uneven_pace_moves_frames_and_classes_alike() -> None:
    example = plain_example(tone_clips(1)[0])
    marked = replace(example, mel=np.repeat(example.classes[:, None], 32, axis=1).astype(np.float32))
    moved = uneven(marked, np.random.default_rng(0))
    assert 0.75 < len(moved.mel) / len(example.mel) < 1.3
    inside = np.abs(np.diff(moved.classes, prepend=0, append=0)).reshape(-1)
    steady = (inside[:-1] == 0) & (inside[1:] == 0)
    assert np.abs(moved.mel[steady, 0] - moved.classes[steady]).max() < 1e-3


def test_a_vocoded_clip_keeps_length_and_time() -> None:
    clip = tone_clips(1)[0]
    other = vocoded(clip, 0)
    assert other.samples.shape == clip.samples.shape and other.words == clip.words
    assert not np.allclose(other.samples, clip.samples, atol=1e-2)
    own, theirs = plain_example(clip).mel, plain_example(other).mel
    assert np.corrcoef(own.mean(axis=1), theirs.mean(axis=1))[0, 1] > 0.8
    assert np.array_equal(vocoded(clip, 0).samples, other.samples)


def trained(folder: Path, epochs: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    clips = tone_clips(20)
    clips = [*clips[:16], *(replace(clip, split="valid") for clip in clips[16:])]
    config = FrameClassifierConfig(inputs=INPUTS, width=24, depth=2, classes=CLASSES, upsample=STACKED)
    folder.mkdir()
    return train(clips, folder, epochs=epochs, seed=3, config=config)


def test_training_learns(tmp_path: Path) -> None:
    record = trained(tmp_path / "one", 50)
    assert record["valid"]["word_accuracy"] > 0.8 and record["valid"]["forced_edges"]["median_ms"] <= 20
    assert record["test"] == {"clips": 0}


def test_training_is_repeatable(tmp_path: Path) -> None:
    for name in ("one", "two"):
        trained(tmp_path / name, 4)
    one, two = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two


def test_what_is_no_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="name the folder of the GRID clips"):
        read_corpus(tmp_path)


def test_words_that_cannot_be_found_are_refused() -> None:
    sound = tone_clips(1)[0].samples
    with pytest.raises(RequestError, match="none of the 51 words"):
        locate(sound, RATE_HZ, ["bin", "purple"])
    with pytest.raises(RequestError, match="at least one"):
        locate(sound, RATE_HZ, [])
    with pytest.raises(RequestError, match="too few"):
        recognise(sound[:1600], RATE_HZ)


@pytest.mark.shared
def test_the_packaged_weights_read_the_test_split(shared_dir: Path) -> None:
    torch.set_num_threads(1)
    clips = read_corpus(shared_dir / "corpus" / "grid_s1", ("test",))
    assert len(clips) == 50
    measured = measure(load_recogniser(), clips)
    assert measured["word_accuracy"] >= 0.95
    assert measured["forced_edges"]["median_ms"] <= 15 and measured["forced_edges"]["p95_ms"] <= 50
    assert abs(measured["forced_edges"]["bias_ms"]) <= 10


@pytest.mark.shared
def test_the_same_words_are_read_and_found_later_and_at_another_rate(shared_dir: Path) -> None:
    clip = next(c for c in read_corpus(shared_dir / "corpus" / "grid_s1", ("test",)) if c.name == "bgaa8p")
    late = resample(np.concatenate([np.zeros(8_000, np.float32), clip.samples]), RATE_HZ, 24_000)
    reading, later = recognise(clip.samples, RATE_HZ), recognise(late, 24_000)
    assert later.text == reading.text
    text = [word.text for word in clip.words]
    for first, second, true in zip(
        locate(clip.samples, RATE_HZ, text), locate(late, 24_000, text), clip.words, strict=True
    ):
        assert second.start_s == pytest.approx(first.start_s + 0.5, abs=0.03)
        assert first.start_s == pytest.approx(true.span.start_s, abs=0.06)
    assert all(0 < word.probability <= 1 for word in reading.words)
