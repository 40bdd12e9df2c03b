"""The motion space: pose does not matter, and a displacement does exactly what was asked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from models.facemesh.space import MOUTH_DIMS, basis, displace, encode, moving_triangles, space
from models.facemesh.topology import INNER_LOWER_LIP, INNER_UPPER_LIP, LIP_POINTS, POINTS, STABLE

angles = st.floats(-0.5, 0.5)
seeds = st.integers(0, 2**16)


def face(seed: int, frames: int = 4) -> np.ndarray:
    """The mean face with some expression and a little noise, upright, 100 px between the eyes: [k, 478, 3]."""
    rng = np.random.default_rng(seed)
    mouth = rng.normal(size=(frames, len(MOUTH_DIMS))) * basis().std[: len(MOUTH_DIMS)]
    shape = basis().template + np.einsum("pcm,km->kpc", basis().move, mouth) + rng.normal(0, 0.002, (1, POINTS, 3))
    return (100 * shape + (320, 240, 0)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(seeds, angles, angles, angles, st.floats(0.3, 5.0))
def test_pose_and_size_leave_the_mouth_unchanged(seed: int, x: float, y: float, z: float, scale: float) -> None:
    upright = face(seed)
    turned = scale * upright @ Rotation.from_rotvec((x, y, z)).as_matrix().T + (50, -20, 9)
    assert np.allclose(encode(turned).mouth, encode(upright).mouth, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(seeds, angles, st.floats(0.0, 2.0))
def test_displacing_adds_what_was_asked(seed: int, turn: float, size: float) -> None:
    landmarks = face(seed) @ Rotation.from_rotvec((0, turn, 0)).as_matrix().T
    delta = size * np.random.default_rng(seed).normal(size=(4, len(MOUTH_DIMS))) * basis().std[: len(MOUTH_DIMS)]
    moved = displace(landmarks, delta)
    assert np.allclose(encode(moved).mouth, encode(landmarks).mouth + delta, atol=2e-3)
    assert np.array_equal(moved[:, STABLE], landmarks.astype(np.float32)[:, STABLE])


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_displacing_by_nothing_moves_nothing(seed: int) -> None:
    landmarks = face(seed)
    assert np.array_equal(displace(landmarks, np.zeros((4, len(MOUTH_DIMS)))), landmarks)


def test_named_numbers_are_lengths_on_the_face() -> None:
    landmarks = face(3, frames=1)
    pressed = landmarks.copy()
    pressed[:, list(INNER_LOWER_LIP), 1] = pressed[:, list(INNER_UPPER_LIP), 1] = 340.0
    assert encode(pressed).mouth[0, 0] == pytest.approx(0, abs=5e-3)
    wider = landmarks.copy()
    wider[:, 291, 0] += 10.0
    added = encode(wider).mouth[0] - encode(landmarks).mouth[0]
    assert added[MOUTH_DIMS.index("width")] == pytest.approx(0.1, abs=5e-3)


def test_opening_moves_the_lower_lip_down_and_the_corners_little() -> None:
    opened = basis().move[:, :, 0]
    assert opened[14, 1] > 0.4 > 0 > opened[13, 1]
    assert np.abs(opened[[61, 291], 1]).max() < opened[14, 1] / 2
    assert opened[152, 1] > 0.2, "the chin follows"


def test_the_basis_is_consistent() -> None:
    fitted = basis()
    product = np.einsum("mpc,pcn->mn", fitted.measure, fitted.move)
    assert np.allclose(product, np.eye(len(MOUTH_DIMS)), atol=5e-3)
    assert not fitted.move[STABLE].any(), "bone does not move"
    assert np.abs(fitted.move[LIP_POINTS]).sum((1, 2)).min() > 0, "every lip point moves"
    assert np.isin(LIP_POINTS, moving_triangles()).all()
    described = space()
    assert len(described.mean) == len(described.std) == len(described.mouth_dims) + len(described.rest_dims)
    assert min(described.std) > 0
