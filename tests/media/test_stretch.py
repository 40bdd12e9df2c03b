"""Time stretch: exact length, same pitch, events where they belong; with the real ffmpeg."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from media.stretch import time_stretch
from media.tools import Tools, find_tools

RATE_HZ = 24000


@pytest.fixture(scope="module")
def tools() -> Tools:
    return find_tools()


@settings(max_examples=12, deadline=None)
@given(length=st.integers(0, 30000), ratio=st.floats(0.5, 2.0, exclude_min=True))
def test_the_length_is_exact(length: int, ratio: float) -> None:
    samples = np.random.default_rng(length).normal(0, 0.1, length).astype(np.float32)
    stretched = time_stretch(samples, RATE_HZ, ratio, find_tools())
    assert stretched.shape == (round(length * ratio),)
    assert stretched.dtype == np.float32


@pytest.mark.parametrize("ratio", [0.926, 1.25])
def test_the_pitch_stays(tools: Tools, ratio: float) -> None:
    samples = (0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.float32)
    stretched = time_stretch(samples, RATE_HZ, ratio, tools)
    spectrum = np.abs(np.fft.rfft(stretched * np.hanning(len(stretched))))
    assert np.argmax(spectrum) * RATE_HZ / len(stretched) == pytest.approx(440, abs=3)
    assert np.std(stretched) == pytest.approx(np.std(samples), rel=0.15)


@pytest.mark.parametrize("ratio", [0.6, 0.926, 0.98, 1.5])
def test_events_move_in_proportion(tools: Tools, ratio: float) -> None:
    burst = np.hanning(240) * np.sin(np.arange(240) * 0.8)
    samples = np.zeros(3 * RATE_HZ, np.float32)
    for middle_s in (0.5, 1.5, 2.5):
        samples[round(middle_s * RATE_HZ) - 120 :][:240] = burst
    stretched = time_stretch(samples, RATE_HZ, ratio, tools)
    for middle_s in (0.5, 1.5, 2.5):
        first = round((middle_s * ratio - 0.1) * RATE_HZ)
        power = stretched[first : first + round(0.2 * RATE_HZ)] ** 2
        found_s = (first + np.average(np.arange(len(power)), weights=power)) / RATE_HZ
        assert found_s == pytest.approx(middle_s * ratio, abs=0.015)


def test_a_ratio_of_one_needs_no_program() -> None:
    nothing = Path("/nonexistent")
    samples = np.arange(5, dtype=np.float32)
    same = time_stretch(samples, RATE_HZ, 1.0, Tools(nothing, nothing, 1.0))
    np.testing.assert_array_equal(same, samples)
    assert same is not samples


@pytest.mark.parametrize("ratio", [0.5, 0.0, -1.0, 2.01, float("nan"), float("inf")])
def test_a_ratio_outside_is_refused(tools: Tools, ratio: float) -> None:
    with pytest.raises(ValueError, match=r"\(0\.5, 2\]"):
        time_stretch(np.zeros(100, np.float32), RATE_HZ, ratio, tools)


@pytest.mark.shared
def test_real_speech_keeps_its_spectrum(shared_dir: Path, tools: Tools) -> None:
    samples, rate_hz = soundfile.read(shared_dir / "media" / "speech" / "rtvc_p240_00000.wav", dtype="float32")
    stretched = time_stretch(samples, rate_hz, 1 / 1.08, tools)
    assert len(stretched) == round(len(samples) / 1.08)
    spectra = [_octave_levels_db(sound, rate_hz) for sound in (samples, stretched)]
    assert np.abs(spectra[0] - spectra[1]).max() < 2.0


def _octave_levels_db(sound: np.ndarray, rate_hz: int) -> np.ndarray:
    power = np.abs(np.fft.rfft(sound)) ** 2 / len(sound)
    edges = np.searchsorted(np.fft.rfftfreq(len(sound), 1 / rate_hz), [125, 250, 500, 1000, 2000, 4000, 8000])
    return 10 * np.log10([power[low:high].mean() for low, high in pairwise(edges)])
