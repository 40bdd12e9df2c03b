"""Compressed speech is still understood: the filter's settings are judged by a recogniser, not by levels."""

from pathlib import Path

import jiwer
import numpy as np
import pytest

from media.audio_io import resample
from media.stretch import time_stretch
from media.tools import find_tools
from models.asr.whisper import transcribe
from models.cascade.fit import MOST_STRETCH
from models.evaluation.words import normalise
from models.kokoro.synthesis import SAMPLE_RATE_HZ, synthesise
from models.weights.resolve import kokoro, whisper_base

SENTENCES = (
    "Además de aprender dónde está todo y cómo usar los túneles.",
    "Allá abajo no hay fronteras: solo océanos, nubes y las luces de las ciudades.",
    "La primera vez que miré la Tierra desde la ventana, no pude hablar durante un buen rato.",
    "Cuando terminó la lluvia, los niños salieron a jugar en la plaza del pueblo.",
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def misheard(samples: np.ndarray, text: str, cache: Path) -> float:
    """Letters misheard over letters said: one accent is a letter here, and a whole word in a word error rate."""
    silence = np.zeros(8000, np.float32)
    speech = np.concatenate([silence, resample(samples, SAMPLE_RATE_HZ, 16_000), silence])
    heard = transcribe(speech, weights=whisper_base(cache).path, language="es")
    return jiwer.cer(normalise(text, "es"), normalise(" ".join(word.text for word in heard.words), "es"))


@pytest.mark.slow
def test_the_strongest_compression_costs_few_letters(cache: Path) -> None:
    plain, compressed = [], []
    for text in SENTENCES:
        said = synthesise(text, "es", (("jf_alpha", 1.0),), speed=1.2, weights=kokoro(cache).path)
        plain.append(misheard(said, text, cache))
        shorter = time_stretch(said, SAMPLE_RATE_HZ, 1 / MOST_STRETCH, find_tools())
        compressed.append(misheard(shorter, text, cache))
    assert np.mean(plain) <= 0.05
    assert np.mean(compressed) <= np.mean(plain) + 0.1
