"""Voice, naturalness, and many values in one line."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.audio_to_mouth.corpus import decode_audio
from models.evaluation.naturalness import dnsmos
from models.evaluation.statistics import summarise
from models.evaluation.voice import voice_similarity
from models.weights.resolve import speaker_encoder
from schemas.errors import MediaError, RequestError

values = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30)


@given(values)
@settings(max_examples=20)
def test_the_interval_holds_the_mean_and_lies_within_the_values(kept: list[float]) -> None:
    summary = summarise(kept)
    assert summary.n == len(kept) and summary.median == np.median(kept)
    assert min(kept) - 1e-9 <= summary.low <= summary.mean + 1e-9
    assert summary.mean - 1e-9 <= summary.high <= max(kept) + 1e-9
    assert summarise(kept) == summary


def test_the_interval_is_that_of_the_central_limit() -> None:
    kept = np.random.default_rng(0).normal(5, 2, 400)
    summary = summarise(kept)
    half = 1.96 * kept.std() / 20
    assert summary.low == pytest.approx(kept.mean() - half, abs=0.03)
    assert summary.high == pytest.approx(kept.mean() + half, abs=0.03)
    assert summarise(kept, seed=1).low != summary.low


@pytest.mark.parametrize("kept", [[], [1.0, np.nan], [np.inf]])
def test_what_is_no_number_is_not_summarised(kept: list[float]) -> None:
    with pytest.raises(RequestError, match="finite numbers"):
        summarise(kept)


@pytest.mark.shared
def test_a_voice_is_nearest_to_itself_then_to_its_speaker(shared_dir: Path) -> None:
    grid, ljspeech = shared_dir / "corpus" / "grid_s1", shared_dir / "corpus" / "ljspeech"
    own, same, other = (
        decode_audio(path) for path in (grid / "bbaf2n.mp4", grid / "bgah1s.mp4", ljspeech / "LJ001-0001.opus")
    )
    itself, speaker, stranger = (
        voice_similarity(*voice, *own, encoder=speaker_encoder().path) for voice in (own, same, other)
    )
    assert itself == pytest.approx(1, abs=1e-5)
    assert itself > speaker > stranger + 0.2


@pytest.mark.shared
def test_noise_costs_marks(shared_dir: Path) -> None:
    samples, rate_hz = decode_audio(shared_dir / "corpus" / "ljspeech" / "LJ001-0001.opus")
    noise = np.random.default_rng(0).normal(0, 0.5 * samples.std(), len(samples)).astype(np.float32)
    clean, noisy = dnsmos(samples, rate_hz), dnsmos(samples + noise, rate_hz)
    assert 1 <= noisy.ovrl < clean.ovrl <= 5 and noisy.bak < clean.bak - 0.5
    assert clean.ovrl > 2.5 and clean.sig > 3 and noisy.sig < clean.sig


def test_beyond_full_scale_is_clipped_and_nothing_is_refused() -> None:
    loud = 3 * np.sin(np.arange(16_000) / 20).astype(np.float32)
    assert dnsmos(loud, 16_000) == dnsmos(np.clip(loud, -1, 1), 16_000)
    with pytest.raises(MediaError, match="without samples"):
        dnsmos(loud[:0], 16_000)
