"""Training examples made of GRID clips: other pitch, noise, a vocoder, uneven pace, and parts hidden.

The evaluator hears generated speech, which is smoother and less even than recordings.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.fft import next_fast_len
from scipy.ndimage import gaussian_filter

from media.audio_io import resample
from models.audio_to_mouth.features import BANDS, SAMPLE_RATE_HZ, mel_features
from models.grid_words.corpus import Clip, classes_of_frames
from models.jamflow.config import HOP_SAMPLES, MEL_BANDS
from models.jamflow.config import SAMPLE_RATE_HZ as VOCODER_RATE_HZ
from models.jamflow.mel import FFT_SAMPLES, mel_spectrogram
from schemas.media import TimeSpan
from schemas.speech import Word

_PITCH = (0.88, 1.15)
_NOISE_DB = (15.0, 55.0)
_NOISE_SLOPES = (0.0, 1.0)  # white to pink, as a power of frequency
_PLAIN_SHARE = 0.3
_EVEN_SHARE = 0.5
_PACE = (0.8, 1.3)
_PACE_KNOT_FRAMES = 30
_BLUR_FRAMES, _BLUR_BANDS = 0.8, 0.5
_CONTRAST = (0.85, 1.15)
_SHIFT_BANDS = 0.8
_LEVEL_DECADES = 0.12
_HIDDEN_FRAMES, _HIDDEN_BANDS = 8, 4
_GRIFFIN_LIM_STEPS = 8


@dataclass(frozen=True)
class Example:
    """Mel frames [t, 32] and the class of each [t]."""

    mel: np.ndarray
    classes: np.ndarray


def plain_example(clip: Clip) -> Example:
    """The clip as it is."""
    mel = mel_features(clip.samples, SAMPLE_RATE_HZ)
    return Example(mel, classes_of_frames(clip.words, len(mel)))


def varied_example(clip: Clip, rng: np.random.Generator) -> Example:
    """The clip in another voice, in noise, at an uneven pace, blurred and partly hidden."""
    rate = 1.0 if rng.random() < _PLAIN_SHARE else rng.uniform(*_PITCH)
    words = tuple(_faster(word, rate) for word in clip.words)
    mel = mel_features(in_noise(clip.samples, rng), round(SAMPLE_RATE_HZ * rate))
    example = Example(mel, classes_of_frames(words, len(mel)))
    if rng.random() > _EVEN_SHARE:
        example = uneven(example, rng)
    return Example(hidden(coloured(example.mel, rng), rng), example.classes)


def in_noise(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add noise between white and pink, 15 to 55 dB below the clip's mean power."""
    length = next_fast_len(len(samples))
    spectrum = np.fft.rfft(rng.standard_normal(length))
    slope = rng.uniform(*_NOISE_SLOPES)
    noise = np.fft.irfft(spectrum / np.maximum(1, np.arange(len(spectrum))) ** (slope / 2), length)[: len(samples)]
    level = np.sqrt(np.mean(samples**2)) * 10.0 ** (-rng.uniform(*_NOISE_DB) / 20)
    noisy: np.ndarray = (samples + level * noise / noise.std()).astype(np.float32)
    return noisy


def uneven(example: Example, rng: np.random.Generator) -> Example:
    """Play the frames at a pace that changes every 0.3 s, between 0.8 and 1.3."""
    length = len(example.mel)
    knots = rng.uniform(*_PACE, length // _PACE_KNOT_FRAMES + 2)
    pace = np.interp(np.arange(length) / _PACE_KNOT_FRAMES, np.arange(len(knots)), knots)
    reached = np.cumsum(pace) - pace[0]
    times = reached[reached < length - 1]  # where each new frame comes from
    low = times.astype(int)
    share = (times - low)[:, None]
    mel = (1 - share) * example.mel[low] + share * example.mel[low + 1]
    return Example(mel.astype(np.float32), example.classes[np.round(times).astype(int)])


def coloured(mel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur frames and bands, shift the bands (another vocal tract), vary contrast and spectrum."""
    blurred = gaussian_filter(mel, (rng.uniform(0, _BLUR_FRAMES), rng.uniform(0, _BLUR_BANDS)), mode="nearest")
    place = np.clip(np.arange(BANDS) + rng.uniform(-_SHIFT_BANDS, _SHIFT_BANDS), 0, BANDS - 1.001)
    low, share = place.astype(int), place % 1.0
    shifted = (1 - share) * blurred[:, low] + share * blurred[:, low + 1]
    spectrum = np.interp(np.arange(BANDS), np.linspace(0, BANDS - 1, 5), rng.normal(0, _LEVEL_DECADES, 5))
    result: np.ndarray = (shifted * rng.uniform(*_CONTRAST) + spectrum).astype(np.float32)
    return result


def hidden(mel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Set two short times and two bands of frequency to the mean. Source: Park et al. 2019 (SpecAugment)."""
    kept = mel.copy()
    for _ in range(2):
        frame, band = rng.integers(len(mel)), rng.integers(BANDS)
        kept[frame : frame + rng.integers(_HIDDEN_FRAMES)] = 0.0
        kept[:, band : band + rng.integers(_HIDDEN_BANDS)] = 0.0
    return kept


def vocoded(clip: Clip, seed: int) -> Clip:
    """The clip out of its own 100-band mel at 24 kHz by Griffin-Lim, as rough as a poor vocoder."""
    from torchaudio.functional import griffinlim, melscale_fbanks

    wave = torch.from_numpy(resample(clip.samples, SAMPLE_RATE_HZ, VOCODER_RATE_HZ))
    mel = mel_spectrogram(wave[None])[0].exp()  # [frames, 100]
    filters = melscale_fbanks(FFT_SAMPLES // 2 + 1, 0.0, VOCODER_RATE_HZ / 2, MEL_BANDS, VOCODER_RATE_HZ)
    magnitudes = (mel @ torch.linalg.pinv(filters)).clamp(min=1e-5).T  # [bins, frames]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        sound = griffinlim(
            magnitudes,
            window=torch.hann_window(FFT_SAMPLES),
            n_fft=FFT_SAMPLES,
            hop_length=HOP_SAMPLES,
            win_length=FFT_SAMPLES,
            power=1.0,
            n_iter=_GRIFFIN_LIM_STEPS,
            momentum=0.99,
            length=len(wave),
            rand_init=True,
        )
    samples = resample(sound.numpy(), VOCODER_RATE_HZ, SAMPLE_RATE_HZ)
    return Clip(clip.name, clip.split, samples, clip.words)


def _faster(word: Word, rate: float) -> Word:
    return Word(text=word.text, span=TimeSpan(start_s=word.span.start_s / rate, end_s=word.span.end_s / rate))
