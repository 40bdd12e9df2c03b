"""The frame classifier: shapes, reach, learning, and its files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.alignment.checkpoint import load_classifier, save_classifier
from models.alignment.network import FrameClassifier, FrameClassifierConfig
from models.alignment.rating import log_probabilities
from schemas.errors import WeightsError

SMALL = FrameClassifierConfig(inputs=5, width=16, depth=3, classes=4, upsample=2)


@given(st.integers(1, 3), st.integers(1, 40), st.integers(1, 4))
@settings(max_examples=20)
def test_so_many_frames_out_for_each_in(batch: int, frames: int, upsample: int) -> None:
    network = FrameClassifier(FrameClassifierConfig(inputs=5, width=8, depth=2, classes=4, upsample=upsample)).eval()
    assert network(torch.zeros(batch, frames, 5)).shape == (batch, frames * upsample, 4)


def test_it_is_small_and_sees_34_frames_to_either_side() -> None:
    network = FrameClassifier(FrameClassifierConfig(inputs=64, width=128, depth=6, classes=52, upsample=2)).eval()
    assert sum(parameter.numel() for parameter in network.parameters()) <= 700_000
    frames = torch.zeros(1, 200, 64, requires_grad=True)
    network(frames)[0, 200].abs().sum().backward()
    assert frames.grad is not None
    seen = np.flatnonzero(frames.grad[0].abs().sum(1).numpy())
    assert 30 <= 100 - seen.min() <= 36 and 30 <= seen.max() - 100 <= 36


def test_it_learns_classes_at_twice_the_rate_of_its_inputs() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    wanted = np.repeat(rng.integers(0, 4, (8, 20)), 5, axis=1)  # [8, 100] at the finer rate
    seen = (wanted[:, :, None] == np.arange(4)).reshape(8, 50, 2, 4).mean(axis=2)
    frames = torch.from_numpy(np.pad(seen, ((0, 0), (0, 0), (0, 1))).astype(np.float32))
    network = FrameClassifier(SMALL)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(80):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(frames).transpose(1, 2), torch.from_numpy(wanted))
        loss.backward()
        optimiser.step()
    found = log_probabilities(network, frames[0].numpy()).argmax(axis=1)
    assert (found == wanted[0]).mean() > 0.9


def test_ratings_are_log_probabilities() -> None:
    rated = log_probabilities(FrameClassifier(SMALL), np.random.default_rng(0).normal(size=(7, 5)))
    assert rated.shape == (14, 4) and rated.dtype == np.float64
    assert np.allclose(np.exp(rated).sum(axis=1), 1.0)


def test_files_bring_the_same_network_back(tmp_path: Path) -> None:
    network = FrameClassifier(SMALL)
    save_classifier(network, {"note": "kept"}, tmp_path)
    again, record = load_classifier(tmp_path)
    assert record["note"] == "kept" and again.config == SMALL
    frames = np.random.default_rng(0).normal(size=(30, 5))
    assert np.abs(log_probabilities(again, frames) - log_probabilities(network, frames)).max() < 0.02
    first = (tmp_path / "weights.safetensors").read_bytes()
    save_classifier(again, {"note": "kept"}, tmp_path)
    assert (tmp_path / "weights.safetensors").read_bytes() == first


@pytest.mark.parametrize("name", ["weights.safetensors", "config.json"])
def test_missing_and_damaged_files_are_named(tmp_path: Path, name: str) -> None:
    save_classifier(FrameClassifier(SMALL), {}, tmp_path)
    (tmp_path / name).write_bytes(b"{")
    with pytest.raises(WeightsError, match=str(tmp_path)):
        load_classifier(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(WeightsError, match="restore or train it"):
        load_classifier(tmp_path)


def test_the_record_may_not_name_the_sizes_itself(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="network"):
        save_classifier(FrameClassifier(SMALL), {"network": {}}, tmp_path)
