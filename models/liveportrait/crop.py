"""The square around a face, upright, and the way back into the frame. Letters: p landmarks, h and w height and width.

Pixel (x, y) of a frame is the middle of its square, as in OpenCV. Matrices act on columns (x, y, 1).
"""

from dataclasses import dataclass
from math import acos, cos, sin

import numpy as np

from models.liveportrait.landmarks import eyes_and_mouth, from_mesh

SOURCE_SCALE, DRIVING_SCALE = 2.3, 2.2
"""How many times larger than the landmarks' square the crop is."""
SOURCE_RISE, DRIVING_RISE = -0.125, -0.1
"""By how much of its side the crop lies above (-) the landmarks' middle, for the forehead."""
CROP_PX, NETWORK_PX = 512, 256


@dataclass(frozen=True)
class Square:
    """A square in a frame: its middle [2] and side in pixels, and how far it is turned, in radians (clockwise)."""

    middle: np.ndarray
    side: float
    angle: float

    @property
    def corners(self) -> np.ndarray:
        """Left top, right top, right bottom, left bottom [4, 2], not turned."""
        half = self.side / 2
        return np.asarray(self.middle + np.array([[-half, -half], [half, -half], [half, half], [-half, half]]))

    @property
    def turned_corners(self) -> np.ndarray:
        """The same four [4, 2], turned."""
        turn = np.array([[cos(self.angle), -sin(self.angle)], [sin(self.angle), cos(self.angle)]])
        return np.asarray((self.corners - self.middle) @ turn.T + self.middle)


def face_square(landmarks: np.ndarray, scale: float, shift: float = 0.0, rise: float = SOURCE_RISE) -> Square:
    """The square around landmarks [p, 2], turned with the face: its y axis runs from the eyes to the mouth.

    Args:
        scale: Of its side, on top of the landmarks' own.
        shift, rise: Of its middle along its x and y axes, as shares of its side.
    """
    eyes, mouth = eyes_and_mouth(landmarks)
    length = float(np.linalg.norm(mouth - eyes))
    down = np.asarray((mouth - eyes) / length if length > 1e-3 else (0.0, 1.0), np.float64)
    right = np.array([down[1], -down[0]])
    angle = acos(float(np.clip(right[0], -1, 1)))
    axes = np.stack([right, down])
    centre = landmarks.mean(axis=0)
    turned = (landmarks - centre) @ axes.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    side = float((high - low).max()) * scale
    middle = centre + ((low + high) / 2) @ axes + (shift * side) * right + (rise * side) * down
    return Square(np.asarray(middle), side, -angle if right[1] < 0 else angle)


def to_crop(square: Square, size_px: int = CROP_PX, *, is_upright: bool = True) -> np.ndarray:
    """The matrix [3, 3] from the frame to a crop of `size_px`; not upright: the square is not turned."""
    scale, half = size_px / square.side, size_px / 2
    turn = square.angle if is_upright else 0.0
    linear = scale * np.array([[cos(turn), sin(turn)], [-sin(turn), cos(turn)]])
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = linear, half - linear @ square.middle
    return matrix


def mesh_to_crop(mesh: np.ndarray) -> np.ndarray:
    """The matrix [3, 3] to the crop around a face mesh [478, 2 or 3], as faces are read and drawn."""
    return to_crop(face_square(from_mesh(mesh), SOURCE_SCALE))


def moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points [p, 2] by a matrix [3, 3]."""
    return np.asarray(points @ matrix[:2, :2].T + matrix[:2, 2])


def cropped(frame: np.ndarray, matrix: np.ndarray, size_px: int = CROP_PX) -> np.ndarray:
    """The crop [size, size, 3] of a frame [h, w, 3]; black where the frame ends."""
    import cv2

    return np.asarray(cv2.warpAffine(frame, matrix[:2].astype(np.float32), (size_px, size_px), flags=cv2.INTER_LINEAR))


def network_input(crop: np.ndarray) -> np.ndarray:
    """A crop of 512 as the networks take it: 256, by the mean of areas."""
    import cv2

    return np.asarray(cv2.resize(crop, (NETWORK_PX, NETWORK_PX), interpolation=cv2.INTER_AREA))


def looked_at(frame: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """What the networks see of a face [256, 256, 3], by the matrix to its crop."""
    return network_input(cropped(frame, matrix))


def mask_in_frame(mask: np.ndarray, back: np.ndarray, width: int, height: int) -> np.ndarray:
    """A crop's mask [512, 512] uint8 in the frame [h, w], float32 from 0 to 1.

    Args:
        back: From the crop to the frame: the inverse of `to_crop`'s matrix.
    """
    import cv2

    warped = cv2.warpAffine(mask, back[:2].astype(np.float32), (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(warped, np.float32) / 255


def pasted(frame: np.ndarray, crop: np.ndarray, mask: np.ndarray, back: np.ndarray) -> np.ndarray:
    """A frame [h, w, 3] uint8 with a crop put back into it where the mask [h, w] says; elsewhere its own bits."""
    import cv2

    height, width = frame.shape[:2]
    warped = cv2.warpAffine(crop, back[:2].astype(np.float32), (width, height), flags=cv2.INTER_LINEAR)
    share = mask[..., None]
    return np.asarray(np.clip(share * warped + (1 - share) * frame, 0, 255).astype(np.uint8))


def soft_mask(size_px: int = CROP_PX, solid: float = 0.82, fade: float = 0.1) -> np.ndarray:
    """A mask [size, size] uint8: a square of `solid` of the side with round corners, which fades over `fade` of it."""
    axis = np.abs(np.linspace(-1, 1, size_px))
    outside = np.clip((axis - solid + fade) / fade, 0, None)
    distance = np.hypot(outside[:, None], outside[None])
    return np.asarray(np.round(255 * np.clip(1 - distance, 0, 1)), np.uint8)
