"""Warping: affine maps are met, and what does not move does not change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.facemesh.paint import Shape, paint
from models.facemesh.picture import RGB, Picture, yuv_sampling
from models.facemesh.ring import ring_points
from models.facemesh.space import basis, displace, moving_triangles
from models.facemesh.warp import Region, lay_mesh, read_field, spread

SQUARE = np.array([[10.0, 10], [90, 12], [88, 80], [12, 86], [50, 45]])
FAN = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=6, max_size=6))
def test_linear_functions_are_spread_linearly(numbers: list[float]) -> None:
    matrix, shift = np.array(numbers[:4]).reshape(2, 2), np.array(numbers[4:])
    mesh = lay_mesh(SQUARE, FAN, Region(4, 6, 96, 90), 48)
    field = spread(mesh, (SQUARE @ matrix + shift)[FAN])
    rows, columns = np.mgrid[0 : mesh.labels.shape[0], 0 : mesh.labels.shape[1]]
    nodes = np.stack([4 + mesh.step * columns, 6 + mesh.step * rows], axis=-1)
    inside = (nodes > 22).all(-1) & (nodes < 74).all(-1)
    error = np.abs(field[inside] - (nodes @ matrix + shift)[inside])
    assert np.median(error) < 1e-3, "exact inside the triangles"
    assert error.max() <= mesh.step * np.abs(matrix).sum(0).max() + 1e-3, "within a node along their edges"
    assert not field[mesh.labels == 0].any()


@pytest.mark.parametrize("shift", [(0, 0), (1, 1), (1, 0)])
def test_fields_are_read_at_the_centres_of_subsampled_pixels(shift: tuple[int, int]) -> None:
    mesh = lay_mesh(SQUARE, FAN, Region(0, 0, 96, 96), 24)
    x = np.broadcast_to(mesh.step * np.arange(mesh.labels.shape[1], dtype=np.float32), mesh.labels.shape)
    read = read_field(np.ascontiguousarray(x), mesh, shift, (96 >> shift[1], 96 >> shift[0]))
    centres = np.arange(96 >> shift[0]) * 2 ** shift[0] + (2 ** shift[0] - 1) / 2
    assert np.abs(read[10, 2:-2] - centres[2:-2]).max() < 0.1


def picture(dtype: type, highest: int, seed: int = 0) -> Picture:
    landmarks = (60 * basis().template + (100, 60, 0))[None]
    points = np.concatenate([landmarks, np.pad(ring_points(landmarks[:, :, :2]), ((0, 0), (0, 0), (0, 1)))], axis=1)
    rng = np.random.default_rng(seed)
    sampling = yuv_sampling((1, 1), highest) if dtype is np.uint16 else RGB
    sizes = ((240, 200), (120, 100), (120, 100)) if dtype is np.uint16 else ((240, 200),) * 3
    y, u, v = (rng.integers(0, highest + 1, size).astype(dtype) for size in sizes)
    return Picture((y, u, v), Region(0, 0, 200, 240), sampling, points[0, :, :2], 60.0)


def moved_points(own: Picture, aperture: float) -> np.ndarray:
    landmarks = (60 * basis().template + (100, 60, 0))[None]
    delta = np.zeros((1, 12))
    delta[0, 0] = aperture
    return np.concatenate([displace(landmarks, delta)[0, :, :2], own.points[478:]])


@pytest.mark.parametrize(("dtype", "highest"), [(np.uint8, 255), (np.uint16, 1023)])
def test_an_unmoved_face_is_not_changed(dtype: type, highest: int) -> None:
    own = picture(dtype, highest)
    shape = Shape(own.points, moving_triangles(), own.eyes_px, own.region)
    for drawn, plane in zip(paint(own, shape, [(1.0, own)], 0.0), own.planes, strict=True):
        assert drawn.dtype == plane.dtype and np.array_equal(drawn, plane)


@pytest.mark.parametrize(("dtype", "highest"), [(np.uint8, 255), (np.uint16, 1023)])
def test_above_the_mouth_no_pixel_changes(dtype: type, highest: int) -> None:
    own = picture(dtype, highest)
    shape = Shape(moved_points(own, 0.12), moving_triangles(), own.eyes_px, own.region)
    drawn = paint(own, shape, [(1.0, own)], 1.0)
    eyes_row = round(float(own.points[2, 1] - 0.25 * own.eyes_px))
    assert np.array_equal(drawn[0][:eyes_row], own.planes[0][:eyes_row])
    assert not np.array_equal(drawn[0], own.planes[0])
    assert drawn[0].max() <= highest


def test_an_even_picture_stays_even_but_for_the_dark_mouth() -> None:
    own = picture(np.uint8, 255)
    even = Picture(tuple(np.full_like(plane, 90) for plane in own.planes), own.region, own.sampling, own.points, 60.0)
    shape = Shape(moved_points(own, 0.04), moving_triangles(), own.eyes_px, own.region)
    drawn = paint(even, shape, [(0.4, even), (0.6, even)], 1.0)
    assert np.abs(drawn[0].astype(int) - 90).max() <= 1
