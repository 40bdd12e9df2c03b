"""Mel frames: upstream's, the vocoder's, and their number."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.jamflow.mel import SHORTEST_SAMPLES, frames_of, mel_spectrogram
from schemas.errors import RequestError

FLOOR = math.log(1e-5)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["chirp", "noise_and_silence", "short"])
def test_parity_mel(goldens: Any, name: str) -> None:
    case = goldens.case(f"mel.{name}")
    assert goldens.excess(case, "mel", mel_spectrogram(goldens.input(case, "wave")).transpose(1, 2)) < 1


@given(st.integers(SHORTEST_SAMPLES, 6000), st.integers(1, 3))
@settings(max_examples=30)
def test_the_number_of_frames_is_foretold(samples: int, sounds: int) -> None:
    mel = mel_spectrogram(torch.zeros(sounds, samples))
    assert mel.shape == (sounds, frames_of(samples), 100)
    assert mel.dtype == torch.float32 and torch.allclose(mel, torch.tensor(FLOOR))


def test_it_is_the_mel_that_the_vocoder_was_trained_on() -> None:
    from vocos.feature_extractors import MelSpectrogramFeatures

    wave = 0.1 * torch.randn(2, 24_000, generator=torch.Generator().manual_seed(0))
    wave[:, 8_000:16_000] *= 1e-6  # below our floor of 1e-5 and above its 1e-7
    ours, theirs = mel_spectrogram(wave), MelSpectrogramFeatures()(wave).transpose(1, 2)
    assert (theirs < FLOOR).any() and (theirs > FLOOR).any()
    torch.testing.assert_close(ours, theirs.clamp(min=FLOOR), rtol=1e-6, atol=1e-6)


def test_each_sound_of_a_batch_is_as_if_alone() -> None:
    wave = torch.randn(3, 2_000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    alone = torch.cat([mel_spectrogram(sound[None]) for sound in wave])
    torch.testing.assert_close(mel_spectrogram(wave), alone)


def test_a_first_use_in_inference_mode_leaves_training_possible() -> None:
    from models.jamflow.mel import _transform

    _transform.cache_clear()
    wave = torch.ones(1, 1024)
    with torch.inference_mode():
        mel_spectrogram(wave)
    mel_spectrogram(wave.clone().requires_grad_()).sum().backward()


@pytest.mark.parametrize(
    ("wave", "message"),
    [
        (torch.zeros(0, 1000), "0 sounds: give at least one"),
        (torch.zeros(1, 0), "0 samples at 24 kHz is too short for a mel: give at least 513"),
        (torch.zeros(1, 512), "512 samples at 24 kHz is too short"),
        (torch.full((1, 600), math.nan), "sample 0 of sound 0 is nan"),
        (torch.full((1, 600), -math.inf), "sample 0 of sound 0 is -inf"),
    ],
)
def test_what_has_no_mel_is_told(wave: torch.Tensor, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        mel_spectrogram(wave)
