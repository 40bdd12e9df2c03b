"""Loudness against known signals and independent meters; normalisation as a contract."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from media.loudness import PROFILES, integrated_lufs, normalise, true_peak_dbtp
from media.tools import find_tools

RATE_HZ = 48000


def _tone(frequency_hz: float, peak_db: float, duration_s: float = 2.0, phase: float = 0.0) -> np.ndarray:
    """A tone with soft ends: an abrupt one really has overshoots."""
    time_s = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    ramp = np.minimum(1, np.minimum(time_s, duration_s - time_s) / 0.05)
    return (10 ** (peak_db / 20) * ramp * np.sin(2 * np.pi * frequency_hz * time_s + phase)).astype(np.float32)


def _noise(seed: int, channels: int, duration_s: float = 3.0) -> np.ndarray:
    samples = np.random.default_rng(seed).normal(0, 0.05, (int(duration_s * RATE_HZ), channels))
    return samples.astype(np.float32)


def test_the_reference_tone_of_the_standard() -> None:
    """BS.1770-4: a 0 dBFS, 997 Hz sine in one front channel reads -3.01 LKFS."""
    assert integrated_lufs(_tone(997, 0, 5), RATE_HZ) == pytest.approx(-3.01, abs=0.02)


@pytest.mark.parametrize("rate_hz", [16000, 22050, 44100, 96000])
def test_the_meter_agrees_with_pyloudnorm_at_every_rate(rate_hz: int) -> None:
    samples = _noise(1, 2)[: 2 * rate_hz] * np.linspace(0, 1, min(2 * rate_hz, 3 * RATE_HZ), dtype=np.float32)[:, None]
    samples = samples[: len(samples) // rate_hz * rate_hz]  # pyloudnorm counts a last block that is not whole
    other = pyloudnorm.Meter(rate_hz, filter_class="DeMan").integrated_loudness(samples)
    assert integrated_lufs(samples, rate_hz) == pytest.approx(other, abs=0.01)


@pytest.mark.parametrize(("layout", "channels"), [("mono", 1), ("stereo", 2), ("5.1", 6), ("5.1(side)", 6)])
def test_the_meter_agrees_with_ffmpeg(layout: str, channels: int) -> None:
    samples = _noise(2, channels)
    source = ["-f", "f32le", "-ar", str(RATE_HZ), "-ch_layout", layout, "-i", "pipe:0"]
    command = [str(find_tools().ffmpeg), "-hide_banner", "-nostats", *source, "-af", "ebur128=peak=true", "-f", "null"]
    said = subprocess.run([*command, "-"], input=samples.tobytes(), capture_output=True, check=True).stderr.decode()
    loudness, peak = (float(re.findall(pattern, said)[-1]) for pattern in (r"I: +(\S+) LUFS", r"Peak: +(\S+)"))
    assert integrated_lufs(samples, RATE_HZ, layout) == pytest.approx(loudness, abs=0.06)
    if channels <= 2:  # of more, ffmpeg 8 shows the first channel's
        assert true_peak_dbtp(samples, RATE_HZ) == pytest.approx(peak, abs=0.1)


def test_the_low_frequency_channel_does_not_count() -> None:
    samples = _noise(3, 6)
    louder = samples.copy()
    louder[:, 3] *= 10
    assert integrated_lufs(louder, RATE_HZ, "5.1") == integrated_lufs(samples, RATE_HZ, "5.1")


@pytest.mark.parametrize("samples", [np.zeros((0, 2)), np.zeros(RATE_HZ), _noise(4, 1, 0.3)], ids=str)
def test_silence_and_too_short_sound_have_no_loudness(samples: np.ndarray) -> None:
    assert integrated_lufs(samples.astype(np.float32), RATE_HZ) is None


@pytest.mark.parametrize("frequency_hz", [997, 6000, 12000, 18000])
def test_true_peak_sees_between_the_samples(frequency_hz: float) -> None:
    tone = _tone(frequency_hz, -6.0, phase=np.pi / 4)
    assert true_peak_dbtp(tone, RATE_HZ) == pytest.approx(-6.0, abs=0.05)


def test_true_peak_does_not_depend_on_where_the_sound_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = _noise(5, 2)
    whole = true_peak_dbtp(samples, RATE_HZ)
    monkeypatch.setattr("media.loudness.CHUNK_SAMPLES", 1000)
    assert true_peak_dbtp(samples, RATE_HZ) == whole
    assert true_peak_dbtp(np.zeros((0, 2), np.float32), RATE_HZ) == -np.inf


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    gain_db=st.floats(-40, 20),
    peakiness=st.floats(1, 20),
    profile=st.sampled_from(sorted(PROFILES)),
)
def test_a_normalised_sound_meets_its_profile(seed: int, gain_db: float, peakiness: float, profile: str) -> None:
    samples = _noise(seed, 2, 2.0) * 10 ** (gain_db / 20)
    samples[:: RATE_HZ // 5] *= peakiness
    result = normalise(samples, RATE_HZ, PROFILES[profile])
    wanted = PROFILES[profile]
    assert result.samples.shape == samples.shape
    assert result.integrated_lufs == pytest.approx(wanted.integrated_lufs, abs=wanted.tolerance_lu)
    assert result.true_peak_dbtp <= wanted.true_peak_dbtp
    assert result.integrated_lufs == integrated_lufs(result.samples, RATE_HZ)


def test_without_peaks_in_the_way_normalising_is_one_gain() -> None:
    samples = _noise(6, 2)
    result = normalise(samples, RATE_HZ, PROFILES["ebu-23"])
    assert result.limited_samples == 0
    np.testing.assert_array_equal(result.samples, (samples * 10 ** (result.gain_db / 20)).astype(np.float32))


def test_the_limiter_leaves_alone_what_is_far_from_peaks() -> None:
    samples = _noise(7, 1, 6.0)[:, 0]
    samples[RATE_HZ : RATE_HZ + 20] = 0.9
    result = normalise(samples, RATE_HZ, PROFILES["stream-16"])
    linear = (samples * 10 ** (result.gain_db / 20)).astype(np.float32)
    assert 0 < result.limited_samples < RATE_HZ
    np.testing.assert_array_equal(result.samples[3 * RATE_HZ :], linear[3 * RATE_HZ :])
    gain = result.samples / linear
    assert np.abs(np.diff(gain[np.abs(linear) > 0.01])).max() < 0.1, "the gain must be smooth"


def test_silence_is_left_silent() -> None:
    result = normalise(np.zeros((RATE_HZ, 2), np.float32), RATE_HZ, PROFILES["stream-16"])
    assert (result.gain_db, result.integrated_lufs, result.true_peak_dbtp) == (0.0, None, -np.inf)
    assert not result.samples.any()


@pytest.mark.shared
@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_real_speech_meets_its_profile(shared_dir: Path, profile: str) -> None:
    samples, rate_hz = soundfile.read(shared_dir / "media" / "speech" / "higgs_belinda.wav", dtype="float32")
    result = normalise(samples, rate_hz, PROFILES[profile])
    assert result.integrated_lufs == pytest.approx(PROFILES[profile].integrated_lufs, abs=0.1)
    assert result.true_peak_dbtp <= PROFILES[profile].true_peak_dbtp
