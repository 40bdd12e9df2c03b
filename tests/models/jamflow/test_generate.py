"""From a text of any length to speech and mouth, on a small random model and a real Vocos with random weights."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.jamflow.compose import Material, Voice, compose
from models.jamflow.generate import Prompt, Sampling, generate, speak, usual_sampling
from models.jamflow.schedule import uniform_grid
from models.jamflow.tokens import Vocabulary
from models.jamflow.vocoder import Vocoder
from schemas.errors import MediaError, RequestError

QUICK = Sampling(uniform_grid(2))
LETTERS = Vocabulary((" ", *"abcdefghijklmnopqrstuvwxyz.,"))
SHORT = "some words to say here."
LONG = "some words are said here, and then more of them follow, one after another, to the end. " * 4


@pytest.fixture(scope="module")
def decode() -> Callable[[Tensor], Tensor]:
    from vocos import Vocos
    from vocos.feature_extractors import MelSpectrogramFeatures
    from vocos.heads import ISTFTHead
    from vocos.models import VocosBackbone

    torch.manual_seed(0)
    network = Vocos(MelSpectrogramFeatures(), VocosBackbone(100, 32, 64, 2), ISTFTHead(32, 1024, 256, padding="center"))
    return Vocoder(network, torch.device("cpu")).decode


@pytest.fixture(scope="module")
def prompt() -> Prompt:
    time_s = torch.arange(24_000 * 3 // 2) / 24_000
    return Prompt(0.05 * torch.sin(2 * torch.pi * 220 * time_s) * torch.sin(9 * time_s), "a few words of prompt")


def test_a_clip_comes_without_its_voice(small_model: Any) -> None:
    model = small_model()
    material = Material(tokens=(1, 2, 3), voice=Voice(torch.randn(50, 100)), mel_frames=30)
    made = generate(model, compose("speak", material, model.config.motion), QUICK, seed=3)
    assert made.audio.shape == (30, 100) and made.motion.shape == (8, 5)
    again = generate(model, compose("speak", material, model.config.motion), QUICK, seed=3)
    other = generate(model, compose("speak", material, model.config.motion), QUICK, seed=4)
    assert torch.equal(made.audio, again.audio) and not torch.equal(made.audio, other.audio)


@pytest.mark.parametrize(("text", "chunks"), [(SHORT, 1), (LONG, 2)])
def test_sound_and_mouth_of_a_text_are_equally_long(
    small_model: Any, decode: Any, prompt: Prompt, text: str, chunks: int
) -> None:
    told: list[tuple[int, int]] = []
    speech = speak(small_model(), LETTERS, decode, prompt, text, QUICK, mode="speak", seed=1,
                   progress=lambda done, of: told.append((done, of)))  # fmt: skip
    assert speech.chunks == chunks and told[-1] == (2 * chunks, 2 * chunks)
    assert [done for done, _ in told] == list(range(1, 2 * chunks + 1))
    assert len(speech.wave) * 25 == len(speech.mouth) * 24_000  # to the sample
    assert np.isfinite(speech.wave).all() and np.isfinite(speech.mouth).all()
    expected_s = 1.5 / len(b"a few words of prompt.  ") * len(text.encode())
    assert len(speech.wave) / 24_000 == pytest.approx(expected_s, rel=0.05, abs=0.2)


def test_reading_has_no_mouth(small_model: Any, decode: Any, prompt: Prompt) -> None:
    speech = speak(small_model(), LETTERS, decode, prompt, SHORT, QUICK, mode="read", seed=1)
    assert speech.mouth is None and len(speech.wave)


def test_a_quiet_voice_stays_quiet(small_model: Any, decode: Any, prompt: Prompt) -> None:
    loud = Prompt(prompt.wave * 0.1 / prompt.wave.square().mean().sqrt(), prompt.text)
    quiet = Prompt(loud.wave / 8, prompt.text)
    one, other = (speak(small_model(), LETTERS, decode, p, SHORT, QUICK, mode="read", seed=1) for p in (loud, quiet))
    assert np.allclose(one.wave, 8 * other.wave, atol=1e-3 * np.abs(one.wave).max())


def test_what_cannot_be_spoken_is_told(small_model: Any, decode: Any, prompt: Prompt) -> None:
    for of, text, error in ((prompt, "  ", RequestError), (Prompt(torch.zeros(9000), "hush"), SHORT, MediaError)):
        with pytest.raises(error):
            speak(small_model(), LETTERS, decode, of, text, QUICK, mode="read", seed=1)


def test_the_usual_sampling_is_f5_tts_s() -> None:
    usual = usual_sampling()
    assert len(usual.grid) == 33 and (usual.guidance.audio, usual.guidance.motion) == (2, 2)
    assert float(usual.grid[1]) == pytest.approx(1 - np.cos(np.pi / 64), abs=1e-6)
