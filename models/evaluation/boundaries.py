"""How far word edges lie from where they should be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schemas.errors import RequestError
from schemas.media import TimeSpan


@dataclass(frozen=True)
class BoundaryErrors:
    """Absolute errors of n word edges, in milliseconds."""

    n: int
    median_ms: float
    p95_ms: float


def boundary_errors_ms(found: Sequence[TimeSpan], true: Sequence[TimeSpan]) -> np.ndarray:
    """Signed errors, found less true, of every word's start and end: [2 · words], start and end in turn.

    Words that touch share an edge, which then counts twice.

    Raises:
        RequestError: the two do not hold equally many words.
    """
    if len(found) != len(true):
        raise RequestError(f"{len(found)} spans against {len(true)} true ones: align the same words in both")
    pairs = zip(found, true, strict=True)
    errors_s = [(a.start_s - b.start_s, a.end_s - b.end_s) for a, b in pairs]
    return 1000.0 * np.asarray(errors_s, float).reshape(-1)


def summarise_boundaries(errors_ms: np.ndarray) -> BoundaryErrors:
    """Median and 95th percentile of the absolute errors. Raises: RequestError where there are none."""
    if len(errors_ms) == 0:
        raise RequestError("no word edges were measured: give at least one word")
    size = np.abs(errors_ms)
    return BoundaryErrors(len(size), float(np.median(size)), float(np.percentile(size, 95)))
