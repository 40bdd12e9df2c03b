"""Onsets and pauses against speech whose place is known, made and real, clean and in noise."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from media.activity import active_spans, residual_dialogue, speech_offset_s, speech_onset_s
from schemas.media import TimeSpan

RATE_HZ = 16000
# uberi_chinese.wav is left out: its room tone lies 22 dB under the voice, so silence in front changes what stands out.
CLIPS = (
    "coqui_LJ001-0005",
    "ds_LDC93S1",
    "f5_basic_ref_en",
    "higgs_belinda",
    "leopard_test_de",
    "libri_1089-134686-0001",
    "ps_austen_0920",
    "ravdess_actor02",
    "rtvc_3575_00000",
    "sb_spk1_snt3",
    "whisper_jfk",
)


def _span(start_s: float, end_s: float) -> TimeSpan:
    return TimeSpan(start_s=start_s, end_s=end_s)


def _whole(samples: np.ndarray, rate_hz: int = RATE_HZ) -> TimeSpan:
    return _span(0, max(len(samples), 1) / rate_hz)


def _noise(duration_s: float, level_db: float, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(0, 10 ** (level_db / 20), round(duration_s * RATE_HZ)).astype(np.float32)


def _clip(shared_dir: Path, name: str) -> tuple[np.ndarray, int]:
    samples, rate_hz = soundfile.read(shared_dir / "media" / "speech" / f"{name}.wav", dtype="float32", always_2d=True)
    return samples.mean(axis=1), rate_hz


@settings(max_examples=40, deadline=None)
@given(
    silence_s=st.floats(0, 3), speech_s=st.floats(0.15, 2), level_db=st.floats(-45, -6), floor_db=st.floats(-90, -60)
)
def test_a_burst_begins_and_ends_where_it_was_put(
    silence_s: float, speech_s: float, level_db: float, floor_db: float
) -> None:
    samples = np.concatenate([_noise(silence_s, -200), _noise(speech_s, level_db), _noise(0.5, -200)])
    samples += _noise(len(samples) / RATE_HZ, min(floor_db, level_db - 30), seed=1)[: len(samples)]
    begins_s, ends_s = (round(time_s * RATE_HZ) / RATE_HZ for time_s in (silence_s, silence_s + speech_s))
    assert speech_onset_s(samples, RATE_HZ, _whole(samples)) == pytest.approx(begins_s, abs=0.006)
    assert speech_offset_s(samples, RATE_HZ, _whole(samples)) == pytest.approx(ends_s, abs=0.011)


@pytest.mark.parametrize(
    "samples",
    [np.zeros(0), np.zeros(RATE_HZ), _noise(2, -20), _noise(2, -70), np.full(RATE_HZ, 0.5), _noise(0.05, -20)],
    ids=["nothing", "silence", "steady noise", "faint noise", "constant", "too short"],
)
def test_what_is_no_speech_has_no_onset(samples: np.ndarray) -> None:
    samples = samples.astype(np.float32)
    assert speech_onset_s(samples, RATE_HZ, _whole(samples)) is None
    assert speech_offset_s(samples, RATE_HZ, _whole(samples)) is None
    assert active_spans(samples, RATE_HZ) == ()


def test_clicks_and_breaths_are_not_speech() -> None:
    quiet = _noise(0.3, -80)
    click = np.full(80, 0.9, np.float32)
    breath, speech = _noise(0.3, -38), _noise(1.0, -20)
    samples = np.concatenate([quiet, click, quiet, breath, _noise(0.12, -80), speech, quiet])
    expected_s = (len(samples) - len(speech) - len(quiet)) / RATE_HZ
    assert speech_onset_s(samples, RATE_HZ, _whole(samples)) == pytest.approx(expected_s, abs=0.006)


def test_a_soft_beginning_that_runs_into_the_voice_counts() -> None:
    samples = np.concatenate([_noise(0.5, -80), _noise(0.12, -38), _noise(0.5, -18), _noise(0.3, -80)])
    assert speech_onset_s(samples, RATE_HZ, _whole(samples)) == pytest.approx(0.5, abs=0.006)


def test_only_the_span_is_searched() -> None:
    samples = np.concatenate([_noise(0.5, -20), _noise(0.5, -80), _noise(0.5, -20), _noise(0.5, -80)])
    assert speech_onset_s(samples, RATE_HZ, _span(0.6, 1.8)) == pytest.approx(1.0, abs=0.006)
    assert speech_offset_s(samples, RATE_HZ, _span(0.2, 0.9)) == pytest.approx(0.5, abs=0.011)
    assert speech_onset_s(samples, RATE_HZ, _span(0.2, 0.9)) == pytest.approx(0.2, abs=0.006), "under way"
    assert speech_onset_s(samples, RATE_HZ, _span(5.0, 6.0)) is None


def test_short_gaps_belong_to_the_speech() -> None:
    parts = [_noise(0.4, -20), _noise(0.1, -80), _noise(0.4, -20), _noise(0.3, -80), _noise(0.4, -20)]
    samples = np.concatenate([_noise(0.3, -80), *parts, _noise(0.3, -80)])
    edges_s = [edge for span in active_spans(samples, RATE_HZ) for edge in (span.start_s, span.end_s)]
    assert edges_s == pytest.approx([0.3, 1.2, 1.5, 1.9], abs=0.011)
    assert len(active_spans(samples, RATE_HZ, min_gap_s=0.05)) == 3
    assert len(active_spans(samples, RATE_HZ, min_gap_s=0.5)) == 1


@pytest.mark.shared
def test_silence_in_front_of_real_speech_moves_its_onset_as_much(shared_dir: Path) -> None:
    errors_s = []
    for name in CLIPS:
        clip, rate_hz = _clip(shared_dir, name)
        alone_s = speech_onset_s(clip, rate_hz, _whole(clip, rate_hz))
        assert alone_s is not None, name
        for silence_s in (0.123, 0.5, 1.777, 5.0):
            samples = np.concatenate([np.zeros(round(silence_s * rate_hz), np.float32), clip])
            moved_s = speech_onset_s(samples, rate_hz, _whole(samples, rate_hz))
            assert moved_s is not None, name
            errors_s.append(abs(moved_s - alone_s - silence_s))
    assert np.percentile(errors_s, 95) <= 0.010
    assert max(errors_s) <= 0.060


@pytest.mark.shared
@pytest.mark.parametrize(("snr_db", "median_s", "worst_s"), [(30, 0.010, 0.02), (20, 0.010, 0.08), (10, 0.060, 0.15)])
def test_noise_delays_the_onset_of_real_speech_little(
    shared_dir: Path, snr_db: float, median_s: float, worst_s: float
) -> None:
    errors_s = []
    for seed, name in enumerate(CLIPS):
        clip, rate_hz = _clip(shared_dir, name)
        alone_s = speech_onset_s(clip, rate_hz, _whole(clip, rate_hz))
        samples = np.concatenate([np.zeros(round(0.777 * rate_hz), np.float32), clip])
        level = np.std(clip) * 10 ** (-snr_db / 20)
        noisy = samples + np.random.default_rng(seed).normal(0, level, len(samples)).astype(np.float32)
        found_s = speech_onset_s(noisy, rate_hz, _whole(noisy, rate_hz))
        assert found_s is not None and alone_s is not None, name
        errors_s.append(abs(found_s - alone_s - 0.777))
    assert np.median(errors_s) <= median_s
    assert max(errors_s) <= worst_s


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "onset_s"), [("sb_spk1_snt3", 0.0), ("leopard_test_es", 0.91), ("riva_de-DE_sample", 1.54)]
)
def test_onsets_that_the_eye_sees_in_the_waveform(shared_dir: Path, name: str, onset_s: float) -> None:
    clip, rate_hz = _clip(shared_dir, name)
    assert speech_onset_s(clip, rate_hz, _whole(clip, rate_hz)) == pytest.approx(onset_s, abs=0.02)


@settings(max_examples=20, deadline=None)
@given(gain=st.floats(0.05, 4), channels=st.integers(1, 6), missing=st.integers(0, 500))
def test_the_background_is_taken_out_at_any_gain(gain: float, channels: int, missing: int) -> None:
    background = np.random.default_rng(0).normal(0, 0.1, (RATE_HZ, channels)).astype(np.float32)
    dialogue = np.zeros_like(background)
    dialogue[6000:9000] = np.random.default_rng(1).normal(0, 0.1, (3000, 1))
    background[len(background) - missing :] = 0
    dub = (gain * (background + dialogue)).astype(np.float32)
    voice = residual_dialogue(dub, background[: len(background) - missing])
    expected = gain * dialogue.sum(axis=1) / min(channels, 2)
    assert voice.shape == (RATE_HZ,)
    assert np.std(voice - expected) < 0.1 * np.std(expected)
    assert speech_onset_s(voice, RATE_HZ, _span(0, 1)) == pytest.approx(0.375, abs=0.006)


def test_a_silent_background_leaves_the_dub_and_other_channels_are_refused() -> None:
    dub = np.random.default_rng(0).normal(0, 0.1, (1000, 2)).astype(np.float32)
    np.testing.assert_allclose(residual_dialogue(dub, np.zeros_like(dub)), dub.mean(axis=1), atol=1e-7)
    with pytest.raises(ValueError, match="mono"):
        active_spans(dub, RATE_HZ)
    with pytest.raises(ValueError, match="same channels"):
        residual_dialogue(dub, np.zeros((1000, 1), np.float32))
