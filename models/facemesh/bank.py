"""The speaker's own mouths, from closed to open, that the renderer draws lips and teeth from.

The choice is made once for a line and mixed by the opening asked for, so that nothing flickers.
Letters: k frames, m mouth numbers, e entries of the bank.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from models.facemesh.space import APERTURE, Encoded

_LEVELS = 6
_NEAREST_APERTURES = 0.012
_SEEN = 0.5
_TURN_WEIGHT, _BLUR_WEIGHT, _UNSEEN_COST = 6.0, 0.5, 5.0
_FAR_FRAMES = 125
"""As far away as weighs like a visible unlikeness: light drifts, and every entry must be decoded."""
FARTHEST_FRAMES = 750
"""No entry lies farther from the line, or each line of an hour-long shot would decode the hour."""
_MOUTH_SCALE = np.array((0.03, 0.08, 0.08, 0.06))
"""Differences of aperture, width, rounding and corner height that weigh the same when mouths are compared."""


@dataclass(frozen=True)
class BankChoice:
    """Rows of the track to draw mouths from, with their apertures, increasing: both [e]."""

    rows: np.ndarray
    apertures: np.ndarray

    def weights(self, aperture: float) -> list[tuple[int, float]]:
        """The one or two entries that enclose `aperture`, as (entry, weight), weights summing to 1."""
        right = int(np.searchsorted(self.apertures, aperture))
        if right == 0 or right == len(self.apertures):
            return [(min(right, len(self.apertures) - 1), 1.0)]
        below, above = self.apertures[right - 1], self.apertures[right]
        share = float((aperture - below) / (above - below))
        share = share * share * (3 - 2 * share)
        return [(entry, weight) for entry, weight in ((right - 1, 1 - share), (right, share)) if weight > 0]


def choose_bank(encoded: Encoded, visible: np.ndarray, rows: np.ndarray, asked: np.ndarray) -> BankChoice:
    """Choose frames of a track whose mouths are like those asked for.

    Args:
        encoded: The whole track [K].
        visible: [K].
        rows: [k] rows of the track that will be drawn; their head pose is preferred.
        asked: [k, m] mouths to draw there.
    """
    turns = encoded.rest[:, :3]
    away = np.linalg.norm(turns - np.median(turns[rows], axis=0), axis=1) * _TURN_WEIGHT
    cost = away + _BLUR_WEIGHT * _speed(encoded) + _UNSEEN_COST * (visible < _SEEN) + _distance_cost(rows, len(visible))
    chosen: dict[float, int] = {}
    for mouth in _levels(asked):
        unlike = np.linalg.norm((encoded.mouth[:, :4] - mouth[:4]) / _MOUTH_SCALE, axis=1)
        row = int(np.argmin(unlike + cost))
        aperture = float(encoded.mouth[row, APERTURE])
        if all(abs(aperture - other) > _NEAREST_APERTURES for other in chosen):
            chosen[aperture] = row
    apertures = sorted(chosen)
    return BankChoice(np.array([chosen[aperture] for aperture in apertures]), np.array(apertures))


def _distance_cost(rows: np.ndarray, count: int) -> np.ndarray:
    """What it costs to take a mouth from far outside of rows [k]; inf where that is too far: [count]."""
    everywhere = np.arange(count)
    outside = np.maximum(0, np.maximum(rows.min() - everywhere, everywhere - rows.max()))
    return np.where(outside > FARTHEST_FRAMES, np.inf, outside / _FAR_FRAMES)


def _levels(asked: np.ndarray) -> np.ndarray:
    """Typical mouths [≤ 6, m] from the most closed to the most open of those asked for."""
    aperture = asked[:, APERTURE]
    levels = np.quantile(aperture, (0.0, 1.0))
    wanted = np.linspace(levels[0], levels[1], _LEVELS)
    nearest = np.argsort(np.abs(aperture[None] - wanted[:, None]), axis=1)[:, : max(1, len(asked) // 12)]
    mouths = np.array([asked[near].mean(0) for near in nearest])
    mouths[:, APERTURE] = wanted
    return mouths


def _speed(encoded: Encoded) -> np.ndarray:
    """How fast the face moves over the picture, in hundredths of the eye distance a frame: motion blurs."""
    place = encoded.pose.shift[:, :2] / encoded.pose.scale[:, None]
    if len(place) < 2:
        return np.zeros(len(place))
    moved = np.linalg.norm(np.gradient(place, axis=0), axis=1) + np.abs(np.gradient(encoded.mouth[:, APERTURE]))
    return gaussian_filter1d(moved, 1.0, mode="nearest") * 100
