"""A single picture brought to speech: the sample of the demo, and portraits."""

from collections.abc import Iterator

import numpy as np

from models.facemesh.landmarks import FaceMesh
from models.facemesh.paint import Shape, paint
from models.facemesh.picture import RGB, Picture
from models.facemesh.plan import moving_points, plan_drawing, region_around
from models.facemesh.space import basis
from models.facemesh.tracks import TrackData
from models.facemesh.warp import Region


def landmarks_of_picture(rgb: np.ndarray) -> np.ndarray | None:
    """Find the one face of a picture [h, w, 3] uint8: [478, 3] pixels, or None."""
    with FaceMesh() as mesh:
        found = mesh.restart(rgb)
    return None if found is None else found - np.array((0.5, 0.5, 0), dtype=np.float32)


def animate_still(rgb: np.ndarray, landmarks: np.ndarray, mouth: np.ndarray) -> Iterator[np.ndarray]:
    """Draw a picture [h, w, 3] uint8 with each mouth of [T, 12]: T pictures of the same size.

    The movement of `mouth` is laid onto the face's own mouth as it is in the picture: its first frame should be
    the resting mouth.

    Args:
        landmarks: [478, 3] pixels of the picture (see `landmarks_of_picture`).
    """
    count = len(mouth)
    track = TrackData(
        np.arange(count, dtype=np.int32),
        np.repeat(landmarks[None].astype(np.float32), count, axis=0),
        np.ones(count, dtype=np.float32),
    )
    drawing = plan_drawing(track, track.frames, mouth)
    if drawing is None:
        return
    height, width = rgb.shape[:2]
    planes = (rgb[:, :, 0], rgb[:, :, 1], rgb[:, :, 2])
    own = Picture(planes, Region(0, 0, width, height), RGB, drawing.before[0], float(drawing.eyes_px[0]))
    border = moving_points()
    for k in range(count):
        outline = np.stack([drawing.before[k, border], drawing.after[k, border]])
        region = region_around(outline, float(drawing.eyes_px[k]), width, height)
        shape = Shape(drawing.after[k], basis().triangles, float(drawing.eyes_px[k]), region)
        drawn = paint(own, shape, [(1.0, own)], float(drawing.share[k]))
        picture = rgb.copy()
        picture[region.y : region.y + region.height, region.x : region.x + region.width] = np.dstack(drawn)
        yield picture
