import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from media import audio_io
from media.audio_io import audio_bytes, encode_audio_clip, extract_audio, read_audio, resample, to_mono, write_audio
from media.probe import choose_audio, probe
from media.tools import Tools
from schemas.errors import MediaError, StorageError

Clips = dict[str, Path]


def _extracted(path: Path, tools: Tools, folder: Path) -> tuple[np.ndarray, int]:
    extract_audio(path, choose_audio(probe(path, tools), path, None), folder / "out.wav", tools)
    return read_audio(folder / "out.wav")


@pytest.mark.parametrize("name", ["late", "late_mkv"])
def test_late_sound_gets_silence_in_front(name: str, clips: Clips, tools: Tools, tmp_path: Path) -> None:
    samples, sample_rate_hz = _extracted(clips[name], tools, tmp_path)
    first = int(np.flatnonzero(samples[:, 0])[0])
    assert first == pytest.approx(0.3 * sample_rate_hz, abs=1e-3 * sample_rate_hz)
    assert len(samples) == pytest.approx(1.8 * sample_rate_hz, abs=1e-3 * sample_rate_hz)


def test_sound_before_a_late_picture_stays_at_zero(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    samples, _ = _extracted(clips["late_picture"], tools, tmp_path)
    assert np.abs(samples[:2000]).max() > 0.05


def test_encoder_priming_is_not_heard(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    samples, sample_rate_hz = _extracted(clips["plain"], tools, tmp_path)
    tone = np.sin(2 * np.pi * 440 * np.arange(20000) / sample_rate_hz)
    heard = samples[2000:22000, 0]
    lags = range(-60, 61)
    best = max(lags, key=lambda lag: float(np.dot(tone[100:-100], heard[100 + lag : len(heard) - 100 + lag])))
    period = sample_rate_hz / 440
    phase = (best + 2000) % period  # a tone that starts at sample 0 is in phase with one
    assert min(phase, period - phase) < 1


def test_rate_and_channels_are_the_sources(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    samples, sample_rate_hz = _extracted(clips["surround"], tools, tmp_path)
    assert samples.shape[1] == 6 and sample_rate_hz == 48000 and samples.dtype == np.float32


def test_extraction_repeats_to_the_bit(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    stream = probe(clips["plain"], tools).audio[0]
    for name in ("a.wav", "b.wav"):
        extract_audio(clips["plain"], stream, tmp_path / name, tools)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_a_stream_that_is_no_sound_is_told_and_leaves_nothing(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    stream = probe(clips["plain"], tools).audio[0].model_copy(update={"index": 7})
    with pytest.raises(MediaError, match="stream 7"):
        extract_audio(clips["plain"], stream, tmp_path / "out.wav", tools)
    assert list(tmp_path.iterdir()) == []


@given(
    frames=st.integers(0, 300),
    channels=st.integers(1, 6),
    rate=st.sampled_from([8000, 44100, 48000]),
    seed=st.integers(0),
)
@settings(max_examples=40, deadline=None)
def test_written_samples_are_read_back_to_the_bit(frames: int, channels: int, rate: int, seed: int) -> None:
    samples = np.random.default_rng(seed).standard_normal((frames, channels)).astype(np.float32) * 3
    data = audio_bytes(samples, rate)
    back, back_hz = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    assert back_hz == rate and np.array_equal(back, samples)
    assert audio_bytes(samples, rate) == data


def test_a_file_holds_the_same_bytes_and_large_ones_are_rf64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.linspace(-1, 1, 501, dtype=np.float32)
    write_audio(tmp_path / "a.wav", samples, 24000)
    assert (tmp_path / "a.wav").read_bytes() == audio_bytes(samples, 24000)
    monkeypatch.setattr(audio_io, "_SIZE_LIMIT", 100)
    write_audio(tmp_path / "b.wav", samples, 24000)
    assert (tmp_path / "b.wav").read_bytes()[:4] == b"RF64"
    back, rate = read_audio(tmp_path / "b.wav")
    assert rate == 24000 and np.array_equal(back[:, 0], samples)


def test_unwritable_and_unreadable_sound_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        write_audio(tmp_path / "no folder" / "a.wav", np.zeros(3, np.float32), 8000)
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(MediaError, match=r"text\.wav"):
        read_audio(tmp_path / "text.wav")


@given(
    frames=st.integers(0, 5000),
    from_hz=st.sampled_from([8000, 16000, 22050, 24000, 44100, 48000]),
    to_hz=st.sampled_from([8000, 16000, 24000, 44100, 48000]),
    channels=st.sampled_from([None, 1, 2, 6]),
)
@settings(max_examples=60, deadline=None)
def test_resampled_length_is_exact(frames: int, from_hz: int, to_hz: int, channels: int | None) -> None:
    shape = (frames,) if channels is None else (frames, channels)
    resampled = resample(np.zeros(shape, np.float32), from_hz, to_hz)
    assert resampled.shape == ((2 * frames * to_hz + from_hz) // (2 * from_hz), *shape[1:])
    assert resampled.dtype == np.float32


def test_resampling_keeps_a_tone() -> None:
    def tone(rate_hz: int) -> np.ndarray:
        return np.sin(2 * np.pi * 1000 * np.arange(rate_hz) / rate_hz).astype(np.float32)

    error = (resample(tone(44100), 44100, 16000) - tone(16000))[500:-500]
    assert np.abs(error).max() < 1e-3


def test_mono_is_the_average() -> None:
    assert np.array_equal(to_mono(np.array([[1, 3], [2, -2]], np.float32)), [2, 0])
    assert np.array_equal(to_mono(np.array([1, 2], np.float32)), [1, 2])


def test_a_clip_for_the_report_is_small_and_plays(tools: Tools, tmp_path: Path) -> None:
    tone = 0.3 * np.sin(2 * np.pi * 300 * np.arange(48000) / 24000)
    data = encode_audio_clip(tone.astype(np.float32), 24000, tools)
    (tmp_path / "clip.m4a").write_bytes(data)
    info = probe(tmp_path / "clip.m4a", tools)
    assert len(data) < 20_000 and info.audio[0].codec == "aac"
    assert info.duration_s == pytest.approx(2, abs=0.1)
