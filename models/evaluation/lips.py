"""How well generated lips follow the true ones. Letters: k motion frames, m mouth dimensions."""

from dataclasses import dataclass

import numpy as np

from schemas.errors import LengthMismatch, RequestError

_LARGEST_LAG_S = 0.2
_FEWEST_FRAMES = 3


@dataclass(frozen=True)
class LipMatch:
    """One mouth dimension: Pearson r and mean absolute error in step, and the lag at which r is best.

    best_lag_ms: positive where the generated lips are late. An r is 0 where one of the two does not move.
    """

    r: float
    mean_absolute_error: float
    best_lag_ms: float
    best_r: float


def match_lips(
    generated: np.ndarray, true: np.ndarray, visible: np.ndarray | None = None, frame_rate_hz: float = 25.0
) -> tuple[LipMatch, ...]:
    """Compare mouths [k, m] frame by frame, and at every whole lag within 200 ms; the ends that do not meet are cut.

    Args:
        visible: Which frames of both count [k]; None: all.

    Raises:
        LengthMismatch: the mouths have not equally many frames and dimensions.
        RequestError: fewer than three frames count.
    """
    if generated.shape != true.shape or generated.ndim != 2:
        raise LengthMismatch(f"mouths of shapes {generated.shape} and {true.shape}: compare the same frames of both")
    counts = np.ones(len(true), bool) if visible is None else np.asarray(visible) > 0
    if counts.shape != (len(true),):
        raise LengthMismatch(f"{len(counts)} frames of visibility for {len(true)} of mouth: give one for each")
    if counts.sum() < _FEWEST_FRAMES:
        raise RequestError(f"{counts.sum()} frames are too few to compare mouths: give at least {_FEWEST_FRAMES}")
    return tuple(_match(a, b, counts, frame_rate_hz) for a, b in zip(generated.T, true.T, strict=True))


def _match(generated: np.ndarray, true: np.ndarray, counts: np.ndarray, frame_rate_hz: float) -> LipMatch:
    reach = round(_LARGEST_LAG_S * frame_rate_hz)
    lags = sorted(range(-reach, reach + 1), key=abs)  # of equal r, the smallest lag
    r_of_lag = {lag: r for lag in lags if (r := _correlation(generated, true, counts, lag)) is not None}
    best = max(r_of_lag, key=lambda lag: r_of_lag[lag])
    return LipMatch(
        r=r_of_lag[0],
        mean_absolute_error=float(np.abs(generated - true)[counts].mean()),
        best_lag_ms=1000.0 * best / frame_rate_hz,
        best_r=r_of_lag[best],
    )


def _correlation(generated: np.ndarray, true: np.ndarray, counts: np.ndarray, lag: int) -> float | None:
    """Pearson r of generated[i + lag] with true[i]; None where too few frames are left."""
    late, early = max(lag, 0), max(-lag, 0)
    length = len(true) - abs(lag)
    if length < _FEWEST_FRAMES:
        return None
    kept = counts[late : late + length] & counts[early : early + length]
    a, b = generated[late : late + length][kept], true[early : early + length][kept]
    if len(a) < _FEWEST_FRAMES:
        return None
    a, b = a - a.mean(), b - b.mean()
    power = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / power if power > 1e-12 else 0.0
