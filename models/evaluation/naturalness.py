"""How natural speech sounds, as a network predicts listeners' marks."""

from dataclasses import dataclass

import numpy as np

from media.audio_io import resample
from schemas.errors import MediaError

_SAMPLE_RATE_HZ = 16_000


@dataclass(frozen=True)
class Naturalness:
    """Predicted opinion scores, 1 to 5: of the whole, of the speech itself, of the freedom from background noise.

    p808: of the whole, by the older network, which was fitted to listeners' marks.
    """

    ovrl: float
    sig: float
    bak: float
    p808: float


def dnsmos(samples: np.ndarray, sample_rate_hz: int) -> Naturalness:
    """Rate mono sound [n] as delivered; less than 9 s is repeated, and samples beyond full scale are clipped.

    A difference of 0.3 on one clip means nothing.
    Source: Reddy, Gopal and Cutler, "DNSMOS P.835", ICASSP 2022, as packaged in speechmos.

    Raises:
        MediaError: there are no samples.
    """
    from speechmos import dnsmos as packaged

    if len(samples) == 0:
        raise MediaError("a sound without samples cannot be rated: decode it again")
    wave = np.clip(resample(samples, sample_rate_hz, _SAMPLE_RATE_HZ), -1.0, 1.0)
    marks = packaged.run(wave, sr=_SAMPLE_RATE_HZ)
    return Naturalness(*(float(marks[name]) for name in ("ovrl_mos", "sig_mos", "bak_mos", "p808_mos")))
