"""A generated mouth moved onto a given face. Letters: T frames at 25 fps, k video frames, m mouth numbers."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from models.facemesh.space import APERTURE, MOUTH_DIMS
from models.track_motion import TrackMotion

MAX_APERTURE_CHANGE = 0.25
"""Inter-ocular distances by which a frame's own opening may be changed before chin and cheeks look stretched."""
MAX_BEYOND_SEEN = 0.06
"""How far beyond the widest opening seen of a face it may open: teeth and lips have no picture there."""
MAX_UNSEEN_OPENING = 0.08
"""How far a face that was never seen open may open: beyond, the mouth is a flat dark hole."""
FADE_FRAMES = 3
_WIDTH = MOUTH_DIMS.index("width")
_GAIN_RANGE = (0.8, 1.15)
_SMOOTHING_FRAMES = 0.6
_CLOSED_SHARE = 0.15
_CLOSED_APERTURE = 0.01
_SEEN = 0.5


def retarget(take_mouth: np.ndarray, neutral_take: np.ndarray, track: TrackMotion) -> np.ndarray:
    """Lay a generated movement onto a face's own resting mouth: [T, m] to [T, m].

    Args:
        take_mouth: [T, m] as generated, in the proportions of the speaker the generator learned from.
        neutral_take: [m], that speaker's resting, closed mouth.
        track: The face that shall speak; gives the resting mouth and, by its width, the size of movements.
    """
    neutral = resting_mouth(track.motion.mouth, track.motion.visible)
    gain = float(np.clip(neutral[_WIDTH] / neutral_take[_WIDTH], *_GAIN_RANGE))
    movement = np.asarray(take_mouth, dtype=np.float64) - neutral_take
    if len(movement) > 2:
        movement = gaussian_filter1d(movement, _SMOOTHING_FRAMES, axis=0, mode="nearest")
    asked = neutral + gain * movement
    asked[:, APERTURE] = np.maximum(asked[:, APERTURE], min(neutral[APERTURE], 0.0))
    return asked.astype(np.float32)


def resting_mouth(mouth: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Take a face's closed mouth [m] from its track: the median of its most closed well-seen frames."""
    seen = mouth[visible > _SEEN] if np.any(visible > _SEEN) else mouth
    aperture = seen[:, APERTURE]
    closed = seen[aperture <= np.quantile(aperture, _CLOSED_SHARE)]
    neutral = np.median(closed, axis=0).astype(np.float64)
    neutral[APERTURE] = min(neutral[APERTURE], _CLOSED_APERTURE)
    return neutral


@dataclass(frozen=True)
class Bounded:
    """What the frames shall show: mouth [k, m], how much of it is new [k] (0 to 1), and which openings were cut."""

    mouth: np.ndarray
    share: np.ndarray
    is_bounded: np.ndarray


def bound(asked: np.ndarray, own: np.ndarray, share: np.ndarray, *, widest_seen: float) -> Bounded:
    """Limit each frame's opening, then blend by `share` [k] from the frame's own mouth.

    Args:
        widest_seen: The widest opening of this face of which there is a picture.
    """
    wanted = np.asarray(asked[:, APERTURE], dtype=np.float64)
    widest = max(widest_seen + MAX_BEYOND_SEEN, MAX_UNSEEN_OPENING)
    lowest, highest = (own[:, APERTURE] + change for change in (-MAX_APERTURE_CHANGE, MAX_APERTURE_CHANGE))
    limited = np.clip(wanted, lowest, np.maximum(lowest, np.minimum(highest, widest)))
    change = np.asarray(asked, dtype=np.float64) - own
    change[:, APERTURE] = limited - own[:, APERTURE]
    return Bounded(own + share[:, None] * change, share, np.abs(limited - wanted) > 1e-6)


def widest_opening(mouth: np.ndarray, visible: np.ndarray) -> float:
    """The widest opening that a track shows well, leaving out its rarest frames."""
    seen = mouth[visible > _SEEN] if np.any(visible > _SEEN) else mouth
    return float(np.quantile(seen[:, APERTURE], 0.98))


def fade_shares(frames: np.ndarray) -> np.ndarray:
    """Rise from and fall to the untouched picture over `FADE_FRAMES` at both ends of each unbroken run [k]."""
    if not len(frames):
        return np.zeros(0)
    breaks = np.flatnonzero(np.diff(frames) > 1) + 1
    starts, ends = np.r_[0, breaks], np.r_[breaks, len(frames)]
    shares = np.empty(len(frames))
    for start, end in zip(starts, ends, strict=True):
        place = np.arange(end - start)
        shares[start:end] = np.minimum(1, np.minimum(place + 1, place[::-1] + 1) / (FADE_FRAMES + 1))
    return shares
