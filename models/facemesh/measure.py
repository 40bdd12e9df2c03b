"""Whether the lips do what was asked: opening asked against opening detected again."""

import numpy as np


def aperture_agreement(asked_aperture: np.ndarray, detected_aperture: np.ndarray) -> tuple[float, float]:
    """Compare two curves [k] of lip opening at the same frames.

    It shows that the warp does what was asked, not that it looks right: the detector is the one that drove it.

    Returns: (r, mean absolute error); (nan, nan) for no frames, r nan where a curve is constant.
    """
    asked, detected = (np.asarray(curve, dtype=np.float64) for curve in (asked_aperture, detected_aperture))
    if not len(asked):
        return float("nan"), float("nan")
    mae = float(np.mean(np.abs(asked - detected)))
    if len(asked) < 2 or np.ptp(asked) < 1e-9 or np.ptp(detected) < 1e-9:
        return float("nan"), mae
    return float(np.corrcoef(asked, detected)[0, 1]), mae
