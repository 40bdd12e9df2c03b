"""Change how long speech lasts without changing its pitch."""

import numpy as np

from media.tools import Tools, input_pipe, run_ffmpeg

SHORTEST_RATIO = 0.5  # not itself allowed
LONGEST_RATIO = 2.0


def time_stretch(samples: np.ndarray, sample_rate_hz: int, ratio: float, tools: Tools) -> np.ndarray:
    """Stretch mono sound [n] to exactly round(n * ratio) samples, pitch kept.

    Args:
        ratio: New duration by old one, in (0.5, 2]; 1 returns the samples as they are.

    Raises: ValueError, where the ratio is outside; ToolError, where ffmpeg fails.

    Source: the Rubber Band library (GPL-2.0), run as ffmpeg's filter `rubberband`.
    """
    if not SHORTEST_RATIO < ratio <= LONGEST_RATIO:
        raise ValueError(f"a stretch ratio must lie in (0.5, 2], it is {ratio}")
    sound = np.ascontiguousarray(samples, np.float32)
    wanted = round(len(sound) * ratio)
    if wanted == len(sound):
        return sound.copy()
    mono = ["-ar", str(sample_rate_hz), "-ac", "1"]
    # The short window on purpose: the standard one and smoothing blur consonants. A recogniser's word error rate over
    # 6 Spanish sentences at 1.08: not compressed 0.14, standard 0.34, short 0.10.
    filters = ["-af", f"rubberband=tempo={1 / ratio:.12f}:window=short"]
    raw = [*mono, "-f", "f32le", "pipe:1"]
    stretched = run_ffmpeg(tools, [*mono, *input_pipe("f32le"), *filters, *raw], stdin=sound.tobytes())
    return _exactly(np.frombuffer(stretched, np.float32), wanted)


def _exactly(samples: np.ndarray, length: int) -> np.ndarray:
    """Cut or pad the sample or two by which the filter's own rounding differs."""
    exact = np.zeros(length, np.float32)
    exact[: len(samples)] = samples[:length]
    return exact
