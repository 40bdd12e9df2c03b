"""Part of a frame as planes, with the points of a face in it. Letters: [h, w] pixels of a plane, n points."""

from dataclasses import dataclass

import cv2
import numpy as np

from media.planes import Planes
from models.facemesh.warp import Mesh, Region, read_field


@dataclass(frozen=True)
class Sampling:
    """What the planes mean: log2 of each one's subsampling (x, y), its value for black or no colour, and the top."""

    shifts: tuple[tuple[int, int], ...]
    neutral: tuple[float, ...]
    highest: int


RGB = Sampling(((0, 0),) * 3, (0.0, 0.0, 0.0), 255)


def yuv_sampling(chroma_shift: tuple[int, int], highest: int) -> Sampling:
    """Describe Y, U, V planes."""
    middle = (highest + 1) / 2
    return Sampling(((0, 0), chroma_shift, chroma_shift), (0.0, middle, middle), highest)


@dataclass(frozen=True)
class Picture:
    """Planes of `region`, and the face's points [n, 2] in luma pixels of the whole frame."""

    planes: Planes
    region: Region
    sampling: Sampling
    points: np.ndarray
    eyes_px: float

    def crop(self, index: int, region: Region) -> np.ndarray:
        """View the pixels of one plane in `region`, which lies inside the picture's own."""
        shift_x, shift_y = self.sampling.shifts[index]
        x, y = (region.x - self.region.x) >> shift_x, (region.y - self.region.y) >> shift_y
        return self.planes[index][y : y + (region.height >> shift_y), x : x + (region.width >> shift_x)]

    def fetch(self, index: int, mesh: Mesh, displacement: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Draw one plane over the mesh's region, each pixel taken from where `displacement` says: [h, w] float32."""
        shift_x, shift_y = self.sampling.shifts[index]
        offsets = read_field(displacement, mesh, (shift_x, shift_y), size)
        x = np.arange(size[1], dtype=np.float32) + ((mesh.region.x - self.region.x) >> shift_x)
        y = np.arange(size[0], dtype=np.float32) + ((mesh.region.y - self.region.y) >> shift_y)
        map_x = x[None, :] + offsets[:, :, 0] * np.float32(0.5**shift_x)
        map_y = y[:, None] + offsets[:, :, 1] * np.float32(0.5**shift_y)
        drawn = cv2.remap(self.planes[index], map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return drawn.astype(np.float32)
