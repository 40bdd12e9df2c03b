"""Speaker embeddings and pitch."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from models.speaker.encoder import DIMENSION, cosine, embed
from models.speaker.mel import SAMPLE_RATE_HZ, log_mel
from models.speaker.pitch import median_f0_hz
from models.weights.resolve import speaker_encoder


@pytest.fixture(scope="module")
def talk() -> tuple[np.ndarray, list[tuple[float, float, str]]]:
    """Two real speakers, and who of them speaks when: the sample that pyannote-audio ships."""
    spec = find_spec("pyannote.audio")
    assert spec is not None and spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "sample"
    samples, _ = soundfile.read(folder / "sample.wav", dtype="float32")
    rows = [row.split() for row in (folder / "sample.rttm").read_text().splitlines()]
    return samples, [(float(row[3]), float(row[4]), row[7]) for row in rows]


def test_mel_frames_are_those_of_librosa() -> None:
    from librosa.filters import mel

    noise = np.random.default_rng(1).standard_normal(8000).astype(np.float32)
    theirs = mel(sr=SAMPLE_RATE_HZ, n_fft=512, n_mels=40)
    window = np.pad(np.hamming(401)[:-1], 56)
    frames = np.stack([noise[start : start + 512] for start in range(0, 8000 - 511, 160)])
    expected = np.log10((np.abs(np.fft.rfft(frames * window)) ** 2) @ theirs.T + 1e-6)
    np.testing.assert_allclose(log_mel(noise), expected, atol=1e-4)


@given(st.integers(1, 40_000), st.floats(0.01, 1.0))
@settings(max_examples=8, deadline=None)
def test_an_embedding_has_unit_length(samples: int, level: float) -> None:
    noise = level * np.random.default_rng(samples).standard_normal(samples)
    vector = embed(noise, encoder=speaker_encoder().path)
    assert vector.shape == (DIMENSION,) and abs(np.linalg.norm(vector) - 1) < 1e-5


def test_no_samples_cannot_be_embedded() -> None:
    with pytest.raises(ValueError, match="no samples"):
        embed(np.zeros(0), encoder=speaker_encoder().path)


def test_a_voice_is_nearer_to_itself(talk: tuple[np.ndarray, list[tuple[float, float, str]]]) -> None:
    samples, turns = talk
    voices: dict[str, list[np.ndarray]] = {}
    for start_s, duration_s, speaker in turns:
        if duration_s > 1.5:
            cut = samples[round(start_s * 16_000) : round((start_s + duration_s) * 16_000)]
            voices.setdefault(speaker, []).append(embed(cut, encoder=speaker_encoder().path))
    assert len(voices) == 2
    (a, b) = voices.values()
    own = [cosine(x, y) for group in (a, b) for i, x in enumerate(group) for y in group[i + 1 :]]
    other = [cosine(x, y) for x in a for y in b]
    assert np.mean(own) > np.mean(other) + 0.05


@given(st.lists(st.floats(-10, 10), min_size=3, max_size=3), st.lists(st.floats(-10, 10), min_size=3, max_size=3))
def test_cosine_is_symmetric_and_bounded(a: list[float], b: list[float]) -> None:
    forth = cosine(np.array(a), np.array(b))
    assert -1 <= forth <= 1 and forth == cosine(np.array(b), np.array(a))


@given(st.floats(80.0, 380.0), st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_pitch_of_a_voiced_sound_is_found(f0_hz: float, missing: int) -> None:
    seconds = np.arange(16_000) / 16_000
    harmonics = [h for h in range(1, 12) if h != missing and h * f0_hz < 4000]
    sound = sum(np.sin(2 * np.pi * h * f0_hz * seconds) / h for h in harmonics)
    found = median_f0_hz(0.1 * np.asarray(sound) + 1e-3 * np.random.default_rng(0).standard_normal(16_000))
    assert found is not None and abs(found / f0_hz - 1) < 0.03


@pytest.mark.parametrize("level", [0.0, 0.1])
def test_noise_and_silence_have_no_pitch(level: float) -> None:
    assert median_f0_hz(level * np.random.default_rng(2).standard_normal(32_000)) is None
    assert median_f0_hz(np.zeros(10)) is None
