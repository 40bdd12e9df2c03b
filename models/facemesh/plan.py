"""What a line's frames shall show, decided before any pixel is read. Letters: K frames of the track, k drawn ones."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from models.facemesh.bank import BankChoice, choose_bank
from models.facemesh.retarget import bound, fade_shares, widest_opening
from models.facemesh.ring import ring_points
from models.facemesh.space import APERTURE, displace, encode, moving_triangles
from models.facemesh.topology import INNER_LOWER_LIP, INNER_UPPER_LIP
from models.facemesh.tracks import TrackData
from models.facemesh.warp import Region

DRAWN_FROM_VISIBILITY = 0.35
_JITTER_SIGMA_FRAMES = 0.7
_MARGIN = 0.15


@dataclass(frozen=True)
class Drawing:
    """Shapes for k frames of one track, in full-size upright pixels.

    Attributes:
        rows: [k] rows of the track that are drawn.
        before, after: [k, n, 2] the points as they are and as they shall be, ring included.
        share: [k] opacity of the drawn mouth: 0 to 1 over the fades.
        aperture: [k] opening to show; eyes_px: [k] inter-ocular distance.
        track_points: [K, n, 2] of the whole track; track_eyes_px: [K].
        bank: Where lips and teeth come from.
        bounded, skipped: Frames whose opening was limited; frames without a usable mouth.
    """

    rows: np.ndarray
    before: np.ndarray
    after: np.ndarray
    share: np.ndarray
    aperture: np.ndarray
    eyes_px: np.ndarray
    track_points: np.ndarray
    track_eyes_px: np.ndarray
    bank: BankChoice
    bounded: int
    skipped: int


def plan_drawing(
    data: TrackData, wanted_frames: np.ndarray, asked: np.ndarray, *, fades: bool = True
) -> Drawing | None:
    """Plan the frames of one line; None where the mouth is not seen in any of them.

    Args:
        data: The track of the face that speaks.
        wanted_frames: [w] increasing source frame numbers of the line.
        asked: [w, m] mouths to show there.
        fades: Begin and end with the frame's own mouth.
    """
    usable, rows = drawable(data, np.asarray(wanted_frames))
    if not usable.any():
        return None
    encoded = encode(data.landmarks)
    widest = widest_opening(encoded.mouth, data.visible)
    share = fade_shares(data.frames[rows]) if fades else np.ones(len(rows))
    wish = bound(asked[usable], encoded.mouth[rows], share, widest_seen=widest)
    delta = np.zeros_like(encoded.mouth)
    delta[rows] = wish.mouth - encoded.mouth[rows]
    steady = _steady(data.landmarks)
    after = _keep_lips_apart(displace(steady, delta)[rows][:, :, :2])
    points = _with_ring(steady[:, :, :2], steady[:, :, :2])
    return Drawing(
        rows=rows,
        before=points[rows],
        after=_with_ring(after, steady[rows][:, :, :2]),
        share=wish.share,
        aperture=wish.mouth[:, APERTURE],
        eyes_px=encoded.pose.scale[rows],
        track_points=points,
        track_eyes_px=encoded.pose.scale,
        bank=choose_bank(encoded, data.visible, rows, wish.mouth),
        bounded=int(wish.is_bounded.sum()),
        skipped=int(len(wanted_frames) - usable.sum()),
    )


def drawable(data: TrackData, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which wanted frames [w] have a mouth that is seen well enough to be drawn [w] bool, and their rows [k]."""
    places = np.clip(np.searchsorted(data.frames, wanted), 0, len(data.frames) - 1)
    usable = (data.frames[places] == wanted) & (data.visible[places] >= DRAWN_FROM_VISIBILITY)
    return usable, places[usable]


def _steady(landmarks: np.ndarray) -> np.ndarray:
    """Take the tracker's tremble out of the landmarks."""
    if len(landmarks) < 3:
        return landmarks
    return gaussian_filter1d(landmarks, _JITTER_SIGMA_FRAMES, axis=0, mode="nearest")


def _with_ring(points: np.ndarray, still: np.ndarray) -> np.ndarray:
    return np.concatenate([points, ring_points(still)], axis=1)


def _keep_lips_apart(points: np.ndarray) -> np.ndarray:
    """Where closing would carry the lips through each other, let them meet in the middle."""
    points = points.copy()
    down = points[:, 152] - points[:, 168]
    down /= np.linalg.norm(down, axis=1, keepdims=True)
    for upper, lower in zip(INNER_UPPER_LIP[1:-1], INNER_LOWER_LIP[1:-1], strict=True):
        gap = np.einsum("kc,kc->k", points[:, lower] - points[:, upper], down)
        crossing = np.maximum(-gap, 0)[:, None] / 2
        points[:, upper] -= crossing * down
        points[:, lower] += crossing * down
    return points


def region_around(points: np.ndarray, eyes_px: float, width: int, height: int) -> Region:
    """The even-aligned rectangle [points of any shape [..., 2]] with a margin, inside a picture of width x height."""
    flat = points.reshape(-1, 2)
    margin = _MARGIN * eyes_px
    left, top = np.maximum(np.floor(flat.min(0) - margin), 0).astype(int) // 2 * 2
    right, bottom = np.minimum(
        np.ceil(flat.max(0) + margin).astype(int) // 2 * 2 + 2, (width // 2 * 2, height // 2 * 2)
    )
    return Region(int(left), int(top), int(right - left), int(bottom - top))


def moving_points() -> np.ndarray:
    """Indices of all points, ring included, that bound what may change."""
    return np.unique(moving_triangles())
