"""MediaPipe Face Mesh on one picture or one clip: 478 points in pixels."""

from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from media.tools import OPENS, input_name


class FaceMesh:
    """The packaged 478-point network with its own face detector, following one face from picture to picture.

    Source: MediaPipe 0.10.21, Apache-2.0; Grishchenko et al. 2020, arXiv:2006.10962.
    """

    def __init__(self) -> None:
        from mediapipe.python.solutions.face_mesh import FaceMesh as Network

        self._network = Network(static_image_mode=False, max_num_faces=1, refine_landmarks=True)

    def restart(self, rgb: np.ndarray) -> np.ndarray | None:
        """Forget the face followed so far, find the face in `rgb` and settle on it."""
        self._network.reset()
        self.follow(rgb)
        return self.follow(rgb)

    def follow(self, rgb: np.ndarray) -> np.ndarray | None:
        """Return [478, 3] float32 pixels of `rgb` [h, w, 3] uint8 (z on the scale of x), or None: no face."""
        found = self._network.process(np.ascontiguousarray(rgb)).multi_face_landmarks
        if not found:
            return None
        height, width = rgb.shape[:2]
        points = [(point.x, point.y, point.z) for point in found[0].landmark]
        return np.array(points, dtype=np.float32) * np.array((width, height, width), dtype=np.float32)

    def close(self) -> None:
        self._network.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def landmarks_of_clip(path: Path) -> np.ndarray | None:
    """Track the one face of a short clip: [n, 478, 3] float32, or None where any frame shows no face."""
    import av

    with av.open(input_name(path), options=OPENS) as container, FaceMesh() as mesh:
        pictures = (frame.to_ndarray(format="rgb24") for frame in container.decode(video=0))
        first = next(pictures, None)
        points = [] if first is None else [mesh.restart(first), *(mesh.follow(picture) for picture in pictures)]
    whole = [found for found in points if found is not None]
    return np.stack(whole) if whole and len(whole) == len(points) else None
