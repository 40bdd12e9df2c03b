"""Where faces are in a picture, small ones too. Boxes are (left, top, right, bottom) in pixels."""

from collections.abc import Iterator

import numpy as np

_MIN_SCORE = 0.5
_SAME_FACE = 0.3
_SMALLEST_BOX_PX = 20
_TILE_SHARE = 0.5


class FaceDetector:
    """The packaged full-range detector, on the whole picture and, when asked to look closely, on tiles of it.

    The network sees 192x192 pixels: a face below about a tenth of the picture is found in a tile only.

    Source: MediaPipe 0.10.21, Apache-2.0; Bazarevsky et al. 2019, arXiv:1907.05047.
    """

    def __init__(self) -> None:
        from mediapipe.python.solutions.face_detection import FaceDetection as Network

        self._network = Network(model_selection=1, min_detection_confidence=_MIN_SCORE)

    def find(self, rgb: np.ndarray, *, closely: bool = False) -> np.ndarray:
        """Return boxes [n, 4] float64, best first, each face once."""
        views = [(0, 0, rgb), *(_tiles(rgb) if closely else ())]
        found = [candidate for x, y, view in views for candidate in self._in_view(view, x, y)]
        found.sort(key=lambda candidate: -candidate[0])
        kept: list[np.ndarray] = []
        for _, box in found:
            if all(overlap(box, other) < _SAME_FACE for other in kept):
                kept.append(box)
        return np.array(kept).reshape(-1, 4)

    def _in_view(self, view: np.ndarray, x: int, y: int) -> Iterator[tuple[float, np.ndarray]]:
        height, width = view.shape[:2]
        for detection in self._network.process(np.ascontiguousarray(view)).detections or ():
            box = detection.location_data.relative_bounding_box
            left, top = x + box.xmin * width, y + box.ymin * height
            right, bottom = left + box.width * width, top + box.height * height
            if min(right - left, bottom - top) >= _SMALLEST_BOX_PX:
                yield detection.score[0], np.array((left, top, right, bottom))

    def close(self) -> None:
        self._network.close()


def _tiles(rgb: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """Squares of half the longer side, each overlapping its neighbour by half or more."""
    height, width = rgb.shape[:2]
    side = round(max(height, width) * _TILE_SHARE)
    for y in _starts(height, side):
        for x in _starts(width, side):
            yield x, y, rgb[y : y + side, x : x + side]


def _starts(length: int, side: int) -> list[int]:
    steps = max(0, -(-2 * (length - side) // side))
    return [round(step * (length - side) / steps) for step in range(steps + 1)] if steps else [0]


def box_of(landmarks: np.ndarray) -> np.ndarray:
    """The box around landmarks [478, ≥2]."""
    return np.concatenate([landmarks[:, :2].min(0), landmarks[:, :2].max(0)]).astype(np.float64)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Shared area as a share of the smaller box: 1 where one lies inside the other."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return float(width * height / smaller)
