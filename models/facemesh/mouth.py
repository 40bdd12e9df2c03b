"""Lips and what lies between them, drawn from other pictures of the same mouth.

Lips are stretched to their new shape; teeth are not: a closing mouth covers them, a mouth opened wider than any
picture shows dark below them. Letters: [gh, gw] grid nodes, [h, w] pixels of a plane, t triangles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from models.facemesh.picture import Picture
from models.facemesh.space import basis, moving_triangles
from models.facemesh.topology import INNER_LIPS, INNER_LOWER_LIP, INNER_UPPER_LIP, LIP_POINTS, OUTER_LIPS
from models.facemesh.warp import Mesh, Region, lay_mesh, read_field, spread

GROWTH, FEATHER = 0.11, 0.055
"""Inter-ocular distances: how far beyond the lips the mouth's picture reaches, and how softly it ends."""
_NODES = 128
_FINEST_STEP_PX = 0.5
_AROUND_LIPS = 0.3
_SMALLEST_STRETCH, _LARGEST_STRETCH = 0.7, 1.25
"""Between these an opening is stretched from its picture, teeth and all."""
_UNSEEN_GAP = 0.02
_DEEPEST = 4.0
_DARK_FROM, _DARK_TO = 0.85, 1.4
_DARK_SHARE = 0.45
_SOFT_NODES = 1.0
_SHADE_NODES, _SHADE_SIGMA = 40, 5.0


@dataclass(frozen=True)
class Layer:
    """One mouth picture ready to be drawn.

    `lips` [gh, gw, 2]: where each node comes from; `inside` likewise for what lies between the lips, `darkness`
    [gh, gw] how little of it is seen, both None where the lips' own stretch serves.
    """

    weight: float
    picture: Picture
    lips: np.ndarray
    inside: np.ndarray | None = None
    darkness: np.ndarray | None = None


class Mouth:
    """The mouth of one frame: its mesh, its soft masks, and the layers to mix."""

    def __init__(
        self, points: np.ndarray, eyes_px: float, region: Region, sources: Sequence[tuple[float, Picture]]
    ) -> None:
        self.mesh = lay_mesh(points, mouth_triangles(), region, _NODES, finest_step=_FINEST_STEP_PX)
        self.mask = _mask(self.mesh, eyes_px)
        self._gap = cv2.GaussianBlur(_polygon(self.mesh, INNER_LIPS), (0, 0), _SOFT_NODES)
        is_alone = len(sources) == 1
        self._layers = [_layer(self.mesh, eyes_px, *source, is_alone=is_alone) for source in sources]

    def drawn(self, index: int, skin: np.ndarray, share: float) -> np.ndarray:
        """Lay the mouth over one plane of the skin [h, w] of the mesh's region, with opacity `share`: [h, w]."""
        shift = self._layers[0].picture.sampling.shifts[index]
        opacity = read_field(self.mask, self.mesh, shift, skin.shape)
        lips = np.zeros_like(skin)
        for layer in self._layers:
            lips += layer.weight * self._drawn_layer(layer, index, skin.shape)
        lips += _shade(skin - lips, opacity)
        return skin + share * opacity * (lips - skin)

    def _drawn_layer(self, layer: Layer, index: int, size: tuple[int, int]) -> np.ndarray:
        lips = layer.picture.fetch(index, self.mesh, layer.lips, size)
        if layer.inside is None or layer.darkness is None:
            return lips
        shift = layer.picture.sampling.shifts[index]
        inside = layer.picture.fetch(index, self.mesh, layer.inside, size)
        inside += read_field(layer.darkness, self.mesh, shift, size) * (_dark(layer.picture, index) - inside)
        return lips + read_field(self._gap, self.mesh, shift, size) * (inside - lips)


@cache
def mouth_triangles() -> np.ndarray:
    """The triangles of mouth, lips and the skin around them [t, 3]."""
    template, triangles = basis().template, moving_triangles()
    is_point = triangles < len(template)
    centres = template[np.where(is_point, triangles, 0)][:, :, :2].mean(1)
    lips = template[LIP_POINTS, :2]
    near = np.linalg.norm(centres[:, None] - lips[None], axis=2).min(1) < _AROUND_LIPS
    return triangles[near & is_point.all(1)]


@cache
def _is_interior() -> np.ndarray:
    return np.asarray(np.isin(mouth_triangles(), INNER_LIPS).all(axis=1))


def _layer(mesh: Mesh, eyes_px: float, weight: float, picture: Picture, *, is_alone: bool) -> Layer:
    """A mouth between two others is stretched towards both; one alone is at the bank's end, and may not reach."""
    corners = mesh.points[mesh.triangles]
    lips = spread(mesh, picture.points[mesh.triangles] - corners)
    depth = _depth(_opening(mesh.points) / eyes_px, _opening(picture.points) / picture.eyes_px)
    if depth == 1.0 or not is_alone:
        return Layer(weight, picture, lips)
    upper, lower = list(INNER_UPPER_LIP[1:-1]), list(INNER_LOWER_LIP[1:-1])
    source = picture.points.copy()
    source[lower] = source[upper] + depth * (source[lower] - source[upper])
    depths = np.zeros(len(mesh.points))
    depths[lower] = depth
    values = np.concatenate([source[mesh.triangles] - corners, depths[mesh.triangles][:, :, None]], axis=2)
    inside = _grown(spread(mesh, values), mesh)
    ramp = np.clip((inside[:, :, 2] - _DARK_FROM) / (_DARK_TO - _DARK_FROM), 0, 1)
    darkness = cv2.GaussianBlur(ramp * ramp * (3 - 2 * ramp), (0, 0), _SOFT_NODES)
    return Layer(weight, picture, lips, inside[:, :, :2], darkness)


def _depth(wanted: float, given: float) -> float:
    """How far down into the picture's mouth the wanted opening reaches: 1 to its lower lip, beyond 1 into the dark."""
    if wanted < _SMALLEST_STRETCH * given:
        return wanted / (_SMALLEST_STRETCH * given)
    if wanted > _LARGEST_STRETCH * given + _UNSEEN_GAP:
        return min(_DEEPEST, (wanted - _UNSEEN_GAP) / (_LARGEST_STRETCH * max(given, 1e-3)))
    return 1.0


def _opening(points: np.ndarray) -> float:
    upper, lower = points[list(INNER_UPPER_LIP[3:-3])], points[list(INNER_LOWER_LIP[3:-3])]
    return float(np.linalg.norm(lower - upper, axis=1).mean())


def _grown(values: np.ndarray, mesh: Mesh) -> np.ndarray:
    """Carry the values between the lips a little over their edge, for a soft border to blend with."""
    inside = (mesh.labels > 0) & np.concatenate([[False], _is_interior()])[mesh.labels]
    weight = inside.astype(np.float32)
    spilled = cv2.GaussianBlur(values * weight[:, :, None], (0, 0), 1.5)
    total = cv2.GaussianBlur(weight, (0, 0), 1.5)[:, :, None]
    return np.where(inside[:, :, None], values, spilled / np.maximum(total, 1e-6))


def _dark(picture: Picture, index: int) -> float:
    """The colour of a mouth's inside: the lips', nearly without light."""
    shift_x, shift_y = picture.sampling.shifts[index]
    middle = (picture.points[OUTER_LIPS] + picture.points[INNER_LIPS]) / 2 - (picture.region.x, picture.region.y)
    plane = picture.planes[index]
    x = np.clip((middle[:, 0] / 2**shift_x).astype(int), 0, plane.shape[1] - 1)
    y = np.clip((middle[:, 1] / 2**shift_y).astype(int), 0, plane.shape[0] - 1)
    neutral = picture.sampling.neutral[index]
    return neutral + _DARK_SHARE * (float(np.median(plane[y, x])) - neutral)


def _polygon(mesh: Mesh, outline: np.ndarray) -> np.ndarray:
    """Draw a closed outline with a soft edge: [gh, gw] float32, 0 to 1."""
    corners = (mesh.points[outline] - (mesh.region.x, mesh.region.y)) / mesh.step
    drawn = np.zeros(mesh.labels.shape, dtype=np.uint8)
    cv2.fillPoly(drawn, [np.round(corners * 16).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
    return drawn.astype(np.float32) / 255


def _mask(mesh: Mesh, eyes_px: float) -> np.ndarray:
    """The lips and a margin around them, softly ending, 0 at the region's border."""
    eyes = eyes_px / mesh.step
    reach = max(1, round(GROWTH * eyes))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    soft = cv2.GaussianBlur(cv2.dilate(_polygon(mesh, OUTER_LIPS), kernel), (0, 0), max(0.5, FEATHER * eyes))
    covered = np.where(mesh.labels > 0, np.clip((soft - 0.02) / 0.96, 0, 1), 0).astype(np.float32)
    covered[[0, -1]], covered[:, [0, -1]] = 0, 0
    return covered


def _shade(difference: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Carry the difference in light found on the mouth's soft border smoothly across its inside."""
    size = (_SHADE_NODES, _SHADE_NODES)
    weight = opacity * (1 - opacity)
    border = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    weighted = cv2.resize(difference * weight, size, interpolation=cv2.INTER_AREA)
    smooth, total = (cv2.GaussianBlur(part, (0, 0), _SHADE_SIGMA) for part in (weighted, border))
    return cv2.resize(smooth / (total + 1e-6), difference.shape[::-1], interpolation=cv2.INTER_LINEAR)
