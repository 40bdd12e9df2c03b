"""Audio features at motion rate; a real wav2vec2 network with random weights, in its published layout."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.jamflow.features import Wav2Vec2, at_motion_rate, load_wav2vec2, log_mel_features
from schemas.errors import RequestError, WeightsError


@given(st.integers(1, 200), st.integers(1, 200))
def test_a_course_in_time_keeps_its_place(feature_frames: int, motion_frames: int) -> None:
    """Features that say when they are are read as when the motion frames are."""
    when = (torch.arange(feature_frames, dtype=torch.float64) + 0.5) / feature_frames
    expected = ((torch.arange(motion_frames, dtype=torch.float64) + 0.5) / motion_frames).clamp(when[0], when[-1])
    torch.testing.assert_close(at_motion_rate(when[:, None], motion_frames)[:, 0], expected, rtol=1e-5, atol=1e-6)


def test_equal_rates_change_nothing() -> None:
    features = torch.randn(9, 4)
    assert torch.equal(at_motion_rate(features, 9), features)


def test_mel_features() -> None:
    wave = torch.zeros(24_000)
    wave[12_000:] = 0.1 * torch.randn(12_000, generator=torch.Generator().manual_seed(0))
    features = log_mel_features(wave, 25)
    assert features.shape == (25, 100)
    assert (features[:12].mean(dim=1) < -11).all() and (features[14:].mean(dim=1) > -3).all()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    torch.manual_seed(0)
    sizes = Wav2Vec2Config(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("wav2vec2")
    Wav2Vec2Model(sizes).save_pretrained(path, safe_serialization=True)
    return path


@pytest.fixture(scope="module")
def wav2vec2(folder: Path) -> Wav2Vec2:
    return load_wav2vec2(folder)


def test_wav2vec2_features(wav2vec2: Wav2Vec2) -> None:
    wave = torch.randn(24_000, generator=torch.Generator().manual_seed(1))
    features = wav2vec2.features(wave, 25)
    assert features.shape == (25, wav2vec2.width) == (25, 32) and torch.isfinite(features).all()
    torch.testing.assert_close(wav2vec2.features(7 * wave + 1, 25), features, rtol=1e-2, atol=1e-3)  # any level
    with pytest.raises(RequestError, match="a sound of 200 samples is too short for wav2vec2"):
        wav2vec2.features(wave[:200], 25)


def test_what_is_no_wav2vec2_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"has no config.json: put a wav2vec2 model"):
        load_wav2vec2(tmp_path)
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    os.truncate(tmp_path / "model.safetensors", 5000)
    with pytest.raises(WeightsError, match="cannot be read as wav2vec2"):
        load_wav2vec2(tmp_path)
