"""Natural durations: positive, of one clause, and learned from what was heard."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch.nn.utils.rnn import pad_sequence

from models.corpus.phones import PAUSE, phone_vocabulary
from models.timing.durations import DurationConfig, DurationPredictor, Durations, load_durations, train_durations
from schemas.errors import WeightsError

VOCABULARY = phone_vocabulary()
LENGTHS_S = {"p": 0.05, "t": 0.06, "a": 0.15, "ˈoː": 0.25}


def texts(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Phones that last as `LENGTHS_S` says, a tenth more or less, between pauses of any length."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(count):
        spoken = rng.choice(list(LENGTHS_S), rng.integers(3, 12)).tolist()
        lengths_s = [rng.uniform(0, 2), *(LENGTHS_S[phone] * rng.uniform(0.9, 1.1) for phone in spoken), 1.0]
        ids = np.array(VOCABULARY.ids([PAUSE, *spoken, PAUSE]))
        made.append((ids, np.concatenate([[0.0], np.cumsum(lengths_s)])))
    return made


@pytest.fixture(scope="module")
def trained() -> Durations:
    return Durations(train_durations(texts(128), epochs=40, seed=0))


@pytest.mark.parametrize("spoken", [["p", "a", "t"], ["ˈoː", "t", "a", "p", "a"]])
def test_what_was_heard_is_learned(trained: Durations, spoken: list[str]) -> None:
    assert trained(spoken) == pytest.approx([LENGTHS_S[phone] for phone in spoken], rel=0.25)


@settings(max_examples=40)
@given(spoken=st.lists(st.sampled_from(VOCABULARY.entries[1:]), min_size=1, max_size=80))
def test_every_length_is_positive_and_below_a_second(trained: Durations, spoken: list[str]) -> None:
    lengths_s = trained(spoken)
    assert lengths_s.shape == (len(spoken),) and (lengths_s >= 0.0149).all() and (lengths_s <= 1.0).all()


@settings(max_examples=20)
@given(lengths=st.lists(st.integers(1, 30), min_size=2, max_size=5))
def test_a_text_is_the_same_beside_longer_ones(lengths: list[int]) -> None:
    torch.manual_seed(0)
    network = DurationPredictor(DurationConfig(len(VOCABULARY.entries))).eval()
    spoken = [torch.randint(1, len(VOCABULARY.entries), (length,)) for length in lengths]
    with torch.inference_mode():
        together = network(pad_sequence(spoken, batch_first=True, padding_value=-1))
        for row, phones in zip(together, spoken, strict=True):
            assert torch.allclose(row[: len(phones)], network(phones[None])[0], atol=1e-5)


def test_training_is_a_function_of_its_seed() -> None:
    one, same, other = (Durations(train_durations(texts(40), epochs=2, seed=seed)) for seed in (0, 0, 1))
    spoken = ["p", "a", "t"]
    assert np.array_equal(one(spoken), same(spoken)) and not np.array_equal(one(spoken), other(spoken))


def test_a_file_gives_back_the_predictor(tmp_path: Path) -> None:
    network = train_durations(texts(40), epochs=1, seed=0)
    path = tmp_path / "durations.safetensors"
    save_file(network.state_dict(), path)
    assert np.array_equal(load_durations(path)(["p", "a"]), Durations(network)(["p", "a"]))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(WeightsError, match="damaged or cut short"):
        load_durations(path)
    with pytest.raises(WeightsError, match="does not exist"):
        load_durations(tmp_path / "none.safetensors")
