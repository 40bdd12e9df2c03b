"""Kokoro's speech with the times of its phones: exact, and never lost by a crash."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.corpus.manifest import Entry, read_manifest
from models.corpus.phones import PAUSE, phone_vocabulary
from models.corpus.synthetic import INDEX, Narrator, synthesise
from models.weights.resolve import kokoro
from schemas.errors import RequestError

SENTENCES = ("The cat sat.", "Where is the door?", "Come here, please.", "No one knew it.")
HOURS = 6.5 / 3600


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kokoro(tmp_path_factory.mktemp("cache")).path


def narrators() -> list[Narrator]:
    blend = (("jf_alpha", 0.5), ("jm_kumo", 0.5))
    return [Narrator("kumo-en", (("jm_kumo", 1.0),), "en", SENTENCES[:2]), Narrator("both-en", blend, "en", SENTENCES)]


def spoken(folder: Path, weights: Path, hours: float = HOURS) -> Path:
    return synthesise(
        narrators(), folder, weights=weights, hours=hours, seed=0, threads=1, on_progress=lambda _there, _wanted: None
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Path:
    return spoken(tmp_path_factory.mktemp("spoken"), weights)


def test_the_hours_are_there_by_voices_in_turns(corpus: Path) -> None:
    listed = [json.loads(line) for line in corpus.read_text().splitlines()]
    assert sum(line["duration_s"] for line in listed[:-1]) / 3600 < HOURS
    assert sum(line["duration_s"] for line in listed) / 3600 >= HOURS
    assert [line["id"] for line in listed] == [
        "kumo-en-00000", "both-en-00000", "kumo-en-00001", "both-en-00001", "both-en-00002", "both-en-00003",
    ][: len(listed)]  # fmt: skip
    assert {line["speaker"] for line in listed} == {"kumo", "both"}


def test_phones_cover_the_sound(corpus: Path) -> None:
    for entry in read_manifest(corpus):
        samples, rate_hz = soundfile.read(entry.file, dtype="float32")
        assert rate_hz == 24_000 and entry.phones[0].start_s == 0
        assert entry.phones[-1].end_s == pytest.approx(len(samples) / rate_hz, abs=0.03)
        assert all(one.end_s == other.start_s for one, other in pairwise(entry.phones))
        assert {phone.phone for phone in entry.phones} <= set(phone_vocabulary().entries)


def test_sound_is_loud_where_phones_are_and_not_a_tenth_of_a_second_off(corpus: Path) -> None:
    fits = {shift: np.mean([fit(entry, shift) for entry in read_manifest(corpus)]) for shift in (-10, 0, 10)}
    assert fits[0] > 0.4 and fits[0] > fits[-10] and fits[0] > fits[10]


def fit(entry: Entry, shift: int) -> float:
    """Correlation of the sound's level, each 10 ms, with where phones are, moved later by so many of them."""
    samples, rate_hz = soundfile.read(entry.file, dtype="float32")
    step = rate_hz // 100
    level = np.log((samples[: len(samples) // step * step].reshape(-1, step) ** 2).mean(axis=1) + 1e-7)
    spoken = np.ones(len(level))
    for phone in entry.phones:
        if phone.phone == PAUSE:
            spoken[round(phone.start_s * 100) : round(phone.end_s * 100)] = 0
    return float(np.corrcoef(np.roll(spoken, shift), level)[0, 1])


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_a_line_that_a_crash_cut_is_spoken_again(corpus: Path, weights: Path, tmp_path: Path, cut: int) -> None:
    for path in corpus.parent.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    index = tmp_path / INDEX
    index.write_bytes(index.read_bytes()[:-cut])
    assert spoken(tmp_path, weights) == index
    assert index.read_bytes() == corpus.read_bytes()
    for path in corpus.parent.glob("*.flac"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_sentences_that_do_not_suffice_are_told(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"the sentences give 0\.00 of 1\.00 h of speech: give more of them"):
        spoken(tmp_path, weights, hours=1.0)
