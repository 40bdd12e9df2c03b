"""The mouth that belongs to a voice: features, network, the packaged weights on real speech."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.audio_to_mouth.corpus import Clip, Pair, decode_audio, pair, varied_pair
from models.audio_to_mouth.features import BANDS, mel_features, mel_filters
from models.audio_to_mouth.network import MouthRegressor, RegressorConfig
from models.audio_to_mouth.predict import load_regressor, neutral, predict_mouth
from models.audio_to_mouth.train import RATES, Scale, measure, train
from models.facemesh.landmarks import landmarks_of_clip
from models.facemesh.space import APERTURE, encode

RATE_HZ = 16_000


def vowel(seconds: float, pitch_hz: float = 120.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    """A buzz with an open vowel's formants: enough to be speech for level and timing."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    harmonics = pitch_hz * np.arange(1, int(3500 / pitch_hz))
    gains = np.exp(-(((harmonics - 750) / 300) ** 2)) + 0.6 * np.exp(-(((harmonics - 1250) / 300) ** 2)) + 0.02
    return (0.1 * gains @ np.sin(2 * np.pi * harmonics[:, None] * time_s)).astype(np.float32)


VOWEL = vowel(1.5)


@given(st.floats(0.001, 8.0))
def test_features_do_not_depend_on_level(gain: float) -> None:
    sound = np.concatenate([np.zeros(1600, np.float32), vowel(0.3)])
    assert np.allclose(mel_features(gain * sound, RATE_HZ), mel_features(sound, RATE_HZ), atol=1e-2)


@given(st.integers(1, 8_000))
@settings(deadline=None, max_examples=40)
def test_a_hundred_frames_a_second(length: int) -> None:
    features = mel_features(VOWEL[:length], RATE_HZ)
    assert features.shape == (-(-length // 160), BANDS) and features.dtype == np.float32
    assert np.isfinite(features).all()


def test_features_are_centred_in_time() -> None:
    click = np.zeros(RATE_HZ, np.float32)
    click[RATE_HZ // 2] = 1.0
    assert int(mel_features(click, RATE_HZ).sum(axis=1).argmax()) == 50


def test_features_hardly_depend_on_the_sample_rate() -> None:
    low, high = mel_features(vowel(0.5), RATE_HZ), mel_features(vowel(0.5, rate_hz=24_000), 24_000)
    assert np.abs(low - high)[5:-5, : BANDS // 2].mean() < 0.05


def test_filters_cover_every_band() -> None:
    assert (mel_filters() >= 0).all() and (mel_filters().max(axis=1) > 0).all()


def test_the_network_sees_four_tenths_of_a_second_and_no_more() -> None:
    network = MouthRegressor(RegressorConfig()).eval()
    mel = torch.zeros(1, 400, BANDS, requires_grad=True)
    network(mel)[0, 50].abs().sum().backward()
    assert mel.grad is not None
    seen = np.flatnonzero(mel.grad[0].abs().sum(1).numpy())
    assert 30 <= 200 - seen.min() <= 45 and 30 <= seen.max() - 200 <= 45
    assert sum(parameter.numel() for parameter in network.parameters()) <= 500_000


def test_sizes_are_kept_in_json() -> None:
    assert RegressorConfig.from_json(RegressorConfig().as_json()) == RegressorConfig()
    with pytest.raises(TypeError):
        RegressorConfig.from_json({"heads": 8})


@given(st.integers(1, 24_000))
@settings(max_examples=20, deadline=None)
def test_one_mouth_every_25th_of_a_second(length: int) -> None:
    motion = predict_mouth(VOWEL[:length], RATE_HZ)
    assert motion.mouth.shape == (max(1, round(length / RATE_HZ * 25)), 12)
    assert motion.rest.shape == (len(motion.mouth), 0) and (motion.visible == 1).all()
    assert motion.space.name == "facemesh" and np.isfinite(motion.mouth).all()


@pytest.mark.parametrize("sound", [np.zeros(0, np.float32), np.zeros(RATE_HZ, np.float32)])
def test_silence_keeps_the_mouth_at_rest(sound: np.ndarray) -> None:
    assert np.allclose(predict_mouth(sound, RATE_HZ).mouth, neutral(), atol=1e-6)


def test_the_mouth_opens_for_a_vowel_and_rests_around_it() -> None:
    sound = np.concatenate([np.zeros(RATE_HZ, np.float32), vowel(0.6), np.zeros(RATE_HZ, np.float32)])
    mouth = predict_mouth(sound, RATE_HZ).mouth
    assert mouth[27:38, APERTURE].mean() > neutral()[APERTURE] + 0.05
    assert np.allclose(mouth[:15], neutral(), atol=1e-6) and np.allclose(mouth[-12:], neutral(), atol=1e-6)


def test_the_rest_is_a_closed_mouth_and_cannot_be_changed() -> None:
    assert neutral().shape == (12,) and abs(neutral()[APERTURE]) < 0.02
    neutral()[:] = 9
    assert abs(neutral()[APERTURE]) < 0.02


def synthetic_clips() -> list[Clip]:
    """Clips whose opening is the loudness of their sound: what the network can learn in seconds."""
    rng = np.random.default_rng(0)
    clips = []
    for number in range(8):
        loudness = np.repeat(rng.uniform(0.0, 1.0, 10), 5)
        sound = vowel(2.0, pitch_hz=rng.uniform(90, 150)) * np.repeat(loudness, RATE_HZ // 25).astype(np.float32)
        mouth = rng.normal(0, 0.01, (50, 12)).astype(np.float32)
        mouth[:, APERTURE] += 0.2 * loudness
        clips.append(Clip(f"c{number}", "valid" if number > 5 else "train", sound, RATE_HZ, mouth, 0))
    return clips


def trained(folder: Path, epochs: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    folder.mkdir()
    return train(synthetic_clips(), folder, epochs=epochs, seed=3)


def test_training_learns(tmp_path: Path) -> None:
    aperture = trained(tmp_path / "one", 24)["valid"]["aperture"]
    assert aperture["r"] > 0.6 and aperture["mae"] < aperture["mae_of_mean"]


def test_training_is_repeatable(tmp_path: Path) -> None:
    for name in ("one", "two"):
        trained(tmp_path / name, 3)
    one, two = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two and len(one) < 2_000_000


@pytest.mark.parametrize("rate", RATES)
def test_varied_voices_keep_sound_and_mouth_together(rate: float) -> None:
    clip = synthetic_clips()[0]
    other = varied_pair(clip, rate, np.random.default_rng(0))
    assert len(other.mel) == 4 * len(other.mouth) and abs(len(other.mouth) - 50 / rate) <= 1
    loudness = other.mel.mean(axis=1).reshape(-1, 4).mean(axis=1)
    assert np.corrcoef(loudness, other.mouth[:, APERTURE])[0, 1] > 0.6


def valid_pairs(shared_dir: Path) -> list[Pair]:
    """Four clips of the valid split, tracked here."""
    pairs = []
    for name in ("bbbs7a", "bbir8p", "bgaa9a", "bgah1s"):
        path = shared_dir / "corpus" / "grid_s1" / f"{name}.mp4"
        landmarks = landmarks_of_clip(path)
        assert landmarks is not None
        samples, rate_hz = decode_audio(path)
        pairs.append(pair(Clip(name, "valid", samples, rate_hz, encode(landmarks).mouth, 0)))
    return pairs


@pytest.mark.shared
def test_the_packaged_weights_follow_a_real_mouth(shared_dir: Path) -> None:
    regressor = load_regressor()
    scale = Scale(regressor.mean, regressor.std)
    pairs = valid_pairs(shared_dir)
    right = measure(regressor.network, scale, pairs)
    assert right["aperture"]["r"] > 0.85
    assert all(right[name]["mae"] < right[name]["mae_of_mean"] for name in ("aperture", "width", "corner_height"))
    wrong = [Pair(np.roll(p.mel, 80, axis=0), p.mouth, p.counts) for p in pairs]
    assert measure(regressor.network, scale, wrong)["aperture"]["r"] < 0.5
