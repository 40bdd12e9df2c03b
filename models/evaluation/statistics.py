"""Many clips' values in one line: n, mean, median, and how sure the mean is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schemas.errors import RequestError

_CONFIDENCE = 0.95
_RESAMPLES = 10_000


@dataclass(frozen=True)
class Summary:
    """Of n clips: mean and median, and the bootstrap 95 % interval [low, high] of the mean."""

    n: int
    mean: float
    median: float
    low: float
    high: float


def summarise(values: Sequence[float] | np.ndarray, *, seed: int = 0) -> Summary:
    """Summarise one value a clip; the interval is that of percentiles over 10 000 resamplings of the clips.

    Raises:
        RequestError: there is no value, or one is not finite.
    """
    from scipy.stats import bootstrap

    kept = np.asarray(values, float)
    if kept.ndim != 1 or len(kept) == 0 or not np.isfinite(kept).all():
        raise RequestError(f"values of shape {kept.shape} cannot be summarised: give finite numbers, one a clip")
    if np.ptp(kept) == 0:  # scipy warns of a distribution without width
        low = high = float(kept[0])
    else:
        interval = bootstrap(
            (kept,),
            np.mean,
            n_resamples=_RESAMPLES,
            confidence_level=_CONFIDENCE,
            method="percentile",
            rng=np.random.default_rng(seed),
            batch=max(1, 10_000_000 // len(kept)),
        ).confidence_interval
        low, high = float(interval.low), float(interval.high)
    return Summary(len(kept), float(kept.mean()), float(np.median(kept)), low, high)
