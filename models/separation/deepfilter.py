"""Dialogue out of a mix by DeepFilterNet3. Letters: n samples, c channels."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np

from media.audio_io import resample
from models.separation.library import SAMPLE_RATE_HZ, Denoiser
from models.weights.resolve import deepfilternet
from schemas.progress import Advance

_SILENT = 1e-5
_ALIKE_DB = -40.0
_PROGRESS_FRAMES = 100


def separate_dialogue(
    samples: np.ndarray,
    sample_rate_hz: int,
    *,
    on_progress: Advance | None = None,
    lfe_channel: int | None = None,
    threads: int = 2,
    model: Path | None = None,
) -> np.ndarray:
    """Keep the speech of a mix [n, c], at the same rate and length, sample for sample in place.

    Music and effects are the caller's difference, source minus dialogue, so that both always sum to
    the source. No attenuation limit is set: what a limit leaves in the dialogue would be lost to
    music and effects when the dialogue is replaced.

    Args:
        samples: Audio [n, c], about -1 to 1.
        sample_rate_hz: Of `samples`; the network itself runs at 48 kHz.
        on_progress: Called with (10 ms frames done, frames in all).
        lfe_channel: Index of the low-frequency channel, which holds no dialogue.
        threads: Channels worked on at once.
        model: Archive of the networks; None: the packaged one.
    """
    mix = np.nan_to_num(np.asarray(samples, dtype=np.float32))
    dialogue = np.zeros_like(mix)
    sources = _channels_to_filter(mix, lfe_channel)
    distinct = sorted(set(sources.values()))
    if not distinct:
        return dialogue
    archive = model or deepfilternet().path
    done = _Progress(on_progress, len(distinct) * -(-len(mix) * 100 // sample_rate_hz))
    with ThreadPoolExecutor(max_workers=max(1, min(threads, len(distinct)))) as pool:
        work = pool.map(lambda channel: _filter_channel(mix[:, channel], sample_rate_hz, archive, done), distinct)
        filtered = dict(zip(distinct, work, strict=True))
    for channel, source in sources.items():
        dialogue[:, channel] = filtered[source]
    done.finish()
    return dialogue


def _channels_to_filter(mix: np.ndarray, lfe_channel: int | None) -> dict[int, int]:
    """Which channel's result each channel takes; silent ones and the LFE are left out.

    A channel that differs from an earlier one by less than -40 dB takes that one's result.
    """
    sources: dict[int, int] = {}
    for channel in range(mix.shape[1]):
        signal = mix[:, channel]
        if channel == lfe_channel or len(signal) == 0 or float(np.abs(signal).max()) < _SILENT:
            continue
        alike = (other for other in sorted(set(sources.values())) if _difference_db(signal, mix[:, other]) < _ALIKE_DB)
        sources[channel] = next(alike, channel)
    return sources


def _difference_db(a: np.ndarray, b: np.ndarray) -> float:
    difference = float(np.mean((a - b) ** 2, dtype=np.float64))
    return 10 * np.log10(max(difference, 1e-30) / max(float(np.mean(b**2, dtype=np.float64)), 1e-30))


def _filter_channel(signal: np.ndarray, sample_rate_hz: int, archive: Path, done: "_Progress") -> np.ndarray:
    at_48k = resample(signal, sample_rate_hz, SAMPLE_RATE_HZ)
    back = resample(filter_48k(at_48k, archive, done), SAMPLE_RATE_HZ, sample_rate_hz)[: len(signal)]
    return np.pad(back, (0, len(signal) - len(back))).astype(np.float32)


def filter_48k(signal: np.ndarray, archive: Path, done: "_Progress | None" = None) -> np.ndarray:
    """Denoise one channel [n] at 48 kHz; the network's delay is taken out, the length stays."""
    with Denoiser(archive) as denoiser:
        delay = denoiser.delay_samples
        frame = denoiser.frame_samples
        padded = np.pad(signal.astype(np.float32), (0, delay + (-(len(signal) + delay)) % frame))
        out = np.empty_like(padded)
        for start in range(0, len(padded), frame):
            denoiser.process(padded[start : start + frame], out[start : start + frame])
            if done is not None:
                done.step()
    return out[delay : delay + len(signal)]


class _Progress:
    """Counts frames over threads (`itertools.count` is atomic under the interpreter lock)."""

    def __init__(self, on_progress: Advance | None, total: int) -> None:
        self._on_progress = on_progress
        self._total = max(1, total)
        self._ticks: Iterator[int] = count(1)

    def step(self) -> None:
        tick = next(self._ticks)
        if self._on_progress is not None and tick % _PROGRESS_FRAMES == 0 and tick < self._total:
            self._on_progress(tick, self._total)

    def finish(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self._total, self._total)
