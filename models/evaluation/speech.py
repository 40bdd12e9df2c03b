"""Where a recording has speech."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from media.audio_io import resample
from schemas.media import TimeSpan

if TYPE_CHECKING:
    import torch

_SAMPLE_RATE_HZ = 16_000


def speech_spans(samples: np.ndarray, sample_rate_hz: int) -> tuple[TimeSpan, ...]:
    """Find the speech in mono sound [n], with silero's own thresholds; empty where there is none.

    Source: Silero VAD 6 (https://github.com/snakers4/silero-vad, MIT).
    """
    import torch

    network, find = _silero()
    wave = torch.from_numpy(resample(samples, sample_rate_hz, _SAMPLE_RATE_HZ))
    found = find(wave, network, sampling_rate=_SAMPLE_RATE_HZ)
    edges_s = [(piece["start"] / _SAMPLE_RATE_HZ, piece["end"] / _SAMPLE_RATE_HZ) for piece in found]
    return tuple(TimeSpan(start_s=start_s, end_s=end_s) for start_s, end_s in edges_s)


def inside(times_s: np.ndarray, spans: tuple[TimeSpan, ...]) -> np.ndarray:
    """Which times [n] lie in a span: bool [n]."""
    held = np.zeros(len(times_s), bool)
    for span in spans:
        held |= (times_s >= span.start_s) & (times_s < span.end_s)
    return held


@lru_cache(maxsize=1)
def _silero() -> tuple["torch.nn.Module", Any]:
    import torch

    threads = torch.get_num_threads()
    from silero_vad import get_speech_timestamps, load_silero_vad

    network = load_silero_vad()
    torch.set_num_threads(threads)  # its import sets one thread for everybody
    return network, get_speech_timestamps
