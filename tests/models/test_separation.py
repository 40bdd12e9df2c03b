"""DeepFilterNet3: in place to the sample, of the right length, and it does remove noise."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile

from media.audio_io import resample
from models.separation.deepfilter import separate_dialogue
from models.separation.library import SAMPLE_RATE_HZ, Denoiser
from models.weights.resolve import deepfilternet


def _telephone_talk(seconds: float, rate_hz: int) -> np.ndarray:
    """Real speech [n]: the two-speaker sample that pyannote-audio ships."""
    spec = find_spec("pyannote.audio")
    assert spec is not None and spec.submodule_search_locations
    samples, own_hz = soundfile.read(
        Path(spec.submodule_search_locations[0]) / "sample" / "sample.wav", dtype="float32"
    )
    return resample(samples[7 * own_hz : round((7 + seconds) * own_hz)], own_hz, rate_hz)


def _lag(signal: np.ndarray, reference: np.ndarray) -> int:
    size = 2 * len(reference)
    correlation = np.fft.irfft(np.fft.rfft(signal, size) * np.conj(np.fft.rfft(reference, size)))
    best = int(np.argmax(correlation))
    return best if best < size // 2 else best - size


def _noise(length: int, level: float) -> np.ndarray:
    return (level * np.random.default_rng(7).standard_normal(length)).astype(np.float32)


def test_the_library_delays_by_what_the_denoiser_says() -> None:
    noise = _noise(SAMPLE_RATE_HZ // 2, 0.1)
    with Denoiser(deepfilternet().path) as denoiser:
        denoiser.limit_attenuation(6.0)  # so that some of the noise passes
        out = np.zeros_like(noise)
        for start in range(0, len(noise), denoiser.frame_samples):
            denoiser.process(noise[start : start + denoiser.frame_samples], out[start : start + denoiser.frame_samples])
        assert _lag(out, noise) == denoiser.delay_samples == 1440


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_dialogue_stays_in_place(rate_hz: int) -> None:
    speech = _telephone_talk(2.0, rate_hz)
    dialogue = separate_dialogue(speech[:, None], rate_hz, threads=1)
    assert dialogue.shape == (len(speech), 1) and dialogue.dtype == np.float32
    assert _lag(dialogue[:, 0], speech) == 0


@pytest.mark.parametrize("length", [0, 1, 7001])
def test_any_length_comes_back_as_it_was(length: int) -> None:
    assert separate_dialogue(_noise(length, 0.1)[:, None], 44_100).shape == (length, 1)


def test_noise_goes_to_the_residual() -> None:
    speech = _telephone_talk(2.5, SAMPLE_RATE_HZ)
    noise = _noise(len(speech), 0.02)
    dialogue = separate_dialogue((speech + noise)[:, None], SAMPLE_RATE_HZ)[:, 0]
    only_noise = separate_dialogue(noise[:, None], SAMPLE_RATE_HZ)[:, 0]
    assert np.corrcoef(dialogue, speech)[0, 1] > 0.9
    assert np.mean((dialogue - speech) ** 2) < 0.5 * np.mean(noise**2)
    assert np.mean(only_noise**2) < 0.01 * np.mean(noise**2)


def test_channels_keep_their_own_dialogue() -> None:
    speech = _telephone_talk(1.5, SAMPLE_RATE_HZ)
    silence = np.zeros_like(speech)
    mix = np.stack([speech, speech, silence, _noise(len(speech), 0.1), 0.3 * speech], axis=1)
    done: list[tuple[int, int]] = []
    dialogue = separate_dialogue(
        mix, SAMPLE_RATE_HZ, lfe_channel=3, on_progress=lambda at, total: done.append((at, total))
    )
    assert np.array_equal(dialogue[:, 0], dialogue[:, 1]) and np.abs(dialogue[:, 0]).max() > 0.05
    assert not dialogue[:, 2].any() and not dialogue[:, 3].any()
    assert np.abs(dialogue[:, 4]).max() < 0.5 * np.abs(dialogue[:, 0]).max()
    assert done[-1][0] == done[-1][1] and [at for at, _ in done] == sorted(at for at, _ in done)


def test_unusable_numbers_do_not_spread() -> None:
    mix = _noise(4800, 0.1)[:, None]
    mix[100:110] = np.nan
    assert np.isfinite(separate_dialogue(mix, SAMPLE_RATE_HZ)).all()
