"""A single picture brought to speech: the sample of the demo, and portraits."""

from collections.abc import Iterator

import numpy as np

from models.facemesh.detector import FaceDetector
from models.facemesh.landmarks import FaceMesh
from models.facemesh.paint import Shape, paint
from models.facemesh.picture import RGB, Picture
from models.facemesh.plan import Drawing, moving_points, plan_drawing, region_around
from models.facemesh.space import APERTURE, encode, moving_triangles
from models.facemesh.tracks import TrackData
from models.facemesh.warp import Region

_PRINCIPAL_SHARE = 0.5
_NEARLY_CLOSED = 0.02
"""The opening that a smiling picture is closed to, in inter-ocular distances."""


def faces_of_picture(rgb: np.ndarray) -> int:
    """How many faces a picture [h, w, 3] uint8 is of: those at least half as high as the largest."""
    detector = FaceDetector()
    boxes = detector.find(rgb)
    detector.close()
    heights = boxes[:, 3] - boxes[:, 1]
    return int(np.sum(heights >= _PRINCIPAL_SHARE * heights.max(initial=0)))


def landmarks_of_picture(rgb: np.ndarray) -> np.ndarray | None:
    """Find the one face of a picture [h, w, 3] uint8: [478, 3] pixels, or None."""
    with FaceMesh() as mesh:
        found = mesh.restart(rgb)
    return None if found is None else found - np.array((0.5, 0.5, 0), dtype=np.float32)


def animate_still(rgb: np.ndarray, landmarks: np.ndarray, mouth: np.ndarray) -> Iterator[np.ndarray]:
    """Draw a picture [h, w, 3] uint8 with each mouth of [T, 12]: T pictures of the same size.

    The movement of `mouth`, as from its first frame, is laid onto the face's own mouth, closed as far as the picture
    allows: the first frame is the resting mouth, whoever's it is.

    Args:
        landmarks: [478, 3] pixels of the picture (see `landmarks_of_picture`).
    """
    drawing = _plan(landmarks, mouth)
    if drawing is None:
        return
    height, width = rgb.shape[:2]
    planes = (rgb[:, :, 0].copy(), rgb[:, :, 1].copy(), rgb[:, :, 2].copy())
    own = Picture(planes, Region(0, 0, width, height), RGB, drawing.before[0], float(drawing.eyes_px[0]))
    border = moving_points()
    for after in drawing.after:
        region = region_around(np.stack([drawing.before[0, border], after[border]]), own.eyes_px, width, height)
        drawn = paint(own, Shape(after, moving_triangles(), own.eyes_px, region), [(1.0, own)], 1.0)
        picture = rgb.copy()
        picture[region.y : region.y + region.height, region.x : region.x + region.width] = np.dstack(drawn)
        yield picture


def _plan(landmarks: np.ndarray, mouth: np.ndarray) -> Drawing | None:
    count = len(mouth)
    still = np.repeat(landmarks[None].astype(np.float32), count, axis=0)
    track = TrackData(np.arange(count, dtype=np.int32), still, np.ones(count, dtype=np.float32))
    asked = encode(landmarks[None]).mouth + (mouth - mouth[:1])
    own_aperture = asked[:1, APERTURE]
    asked[:, APERTURE] += np.minimum(_NEARLY_CLOSED - own_aperture, 0)
    asked[:, APERTURE] = np.maximum(asked[:, APERTURE], 0)
    return plan_drawing(track, track.frames, asked, fades=False)
