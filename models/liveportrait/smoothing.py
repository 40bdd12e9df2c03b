"""Smooth numbers over time by a Kalman smoother of a random walk. Letters: t frames, n numbers."""

import numpy as np

PROCESS_VARIANCE, OBSERVATION_VARIANCE = 1e-5, 3e-7
"""LivePortrait's."""


def kalman_smooth(
    values: np.ndarray, process: float = PROCESS_VARIANCE, observation: float = OBSERVATION_VARIANCE
) -> np.ndarray:
    """Forward filter and backward smoother (Rauch, Tung, Striebel) of [t, n], each number for itself.

    The first frame is the mean that is expected of it, with a variance of 1.
    """
    means, variances = np.empty(values.shape), np.empty(len(values))
    mean, variance = values[0].astype(np.float64), 1.0
    for frame, seen in enumerate(values):
        gain = variance / (variance + observation)
        mean, variance = mean + gain * (seen - mean), variance * (1 - gain)
        means[frame], variances[frame] = mean, variance
        variance += process
    for frame in range(len(values) - 2, -1, -1):
        share = variances[frame] / (variances[frame] + process)
        means[frame] += share * (means[frame + 1] - means[frame])
    return means
