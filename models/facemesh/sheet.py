"""Before and after, side by side, for people to look at."""

from collections.abc import Sequence

import cv2
import numpy as np

from schemas.errors import JamdubError

_CELL_PX = 192
_GAP_PX = 4


def contact_sheet(before: Sequence[np.ndarray], after: Sequence[np.ndarray], *, columns: int = 6) -> bytes:
    """Lay out pairs of pictures, each `before` above its `after`: PNG bytes.

    Args:
        before, after: Pairs of [h, w, 3] uint8 RGB, any sizes; each is fitted into a square cell.
        columns: Pairs in a row.
    """
    pairs = [np.vstack([_cell(old), _cell(new)]) for old, new in zip(before, after, strict=True)]
    if not pairs:
        raise JamdubError("a contact sheet needs at least one picture")
    width = min(columns, len(pairs))
    blank = np.zeros_like(pairs[0])
    rows = []
    for start in range(0, len(pairs), width):
        row = [*pairs[start : start + width]]
        rows.append(_spaced(row + [blank] * (width - len(row)), axis=1))
    _, png = cv2.imencode(".png", cv2.cvtColor(_spaced(rows, axis=0), cv2.COLOR_RGB2BGR))
    return png.tobytes()


def face_crop(rgb: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Cut the lower face out of a picture: a square from the nose's root to below the chin."""
    points = landmarks[:, :2]
    side = float(points[152, 1] - points[168, 1]) * 1.25
    x, y = points[[61, 291], 0].mean() - side / 2, points[168, 1]
    left, top = (max(0, round(float(value))) for value in (x, y))
    crop = rgb[top : round(float(y) + side), left : round(float(x) + side)]
    return crop if crop.size else rgb


def _cell(rgb: np.ndarray) -> np.ndarray:
    height, width = rgb.shape[:2]
    scale = _CELL_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    cell = np.zeros((_CELL_PX, _CELL_PX, 3), dtype=np.uint8)
    top, left = (_CELL_PX - size[1]) // 2, (_CELL_PX - size[0]) // 2
    cell[top : top + size[1], left : left + size[0]] = small
    return cell


def _spaced(parts: Sequence[np.ndarray], *, axis: int) -> np.ndarray:
    padding = [(0, _GAP_PX) if a == axis else (0, 0) for a in range(3)]
    return np.concatenate([np.pad(part, padding, constant_values=255) for part in parts], axis=axis)
