"""Theorems of crops, keypoints, driving and the way from the mesh's points to LivePortrait's."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.facemesh.still import landmarks_of_picture
from models.liveportrait.crop import (
    CROP_PX,
    SOURCE_SCALE,
    cropped,
    face_square,
    mask_in_frame,
    moved,
    network_input,
    pasted,
    soft_mask,
    to_crop,
)
from models.liveportrait.driving import LIP_ROWS, absolute, region, relative
from models.liveportrait.landmarks import LAYOUT, eyes_and_mouth, from_mesh
from models.liveportrait.pose import FaceMotion, rotation
from models.liveportrait.ratios import eye_openness, lip_openness
from models.liveportrait.runner import with_mouth
from models.liveportrait.smoothing import kalman_smooth
from models.liveportrait.space import MOUTH_ROWS

ANGLES = st.floats(-60, 60)


def motion(seed: int, frames: int) -> FaceMotion:
    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    generator = torch.Generator().manual_seed(seed)
    pitch, yaw, roll = (20 * drawn(frames) for _ in range(3))
    return FaceMotion(
        canonical=drawn(1, 21, 3).expand(frames, 21, 3),
        expression=0.01 * drawn(frames, 21, 3),
        rotation=rotation(pitch, yaw, roll),
        translation=0.1 * drawn(frames, 3),
        scale=1 + 0.1 * drawn(frames, 1).abs(),
    )


def face(seed: int, turn: float = 0.3) -> np.ndarray:
    """Landmarks of chance around two eyes and a mouth [203, 2], turned."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-50, 50, (LAYOUT, 2))
    points[[0, 6, 12, 18]] = (-20, -20)
    points[[24, 30, 36, 42]] = (20, -20)
    points[[48, 66]] = (0, 25)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return points @ spin.T + (160, 120)


# Keypoints and driving


@given(ANGLES, ANGLES, ANGLES)
def test_a_rotation_keeps_lengths_and_hands(pitch: float, yaw: float, roll: float) -> None:
    turned = rotation(*(torch.tensor([angle], dtype=torch.float64) for angle in (pitch, yaw, roll)))[0]
    torch.testing.assert_close(turned @ turned.T, torch.eye(3, dtype=torch.float64))
    assert float(torch.det(turned)) == pytest.approx(1.0)


@given(st.integers(0, 99), st.sampled_from(["lip", "eyes", "exp", "pose", "all"]))
def test_driving_a_face_by_itself_changes_nothing(seed: int, name: str) -> None:
    own = motion(seed, 3)
    torch.testing.assert_close(absolute(own, own, region(name)).keypoints, own.keypoints)
    still = own.at(slice(0, 1)).repeated(3)
    made = relative(still, still, region(name), still.expression[0])
    torch.testing.assert_close(made.keypoints, still.keypoints, rtol=1e-4, atol=1e-5)


@given(st.integers(0, 99))
def test_lips_alone_change_no_other_number(seed: int) -> None:
    own, other = motion(seed, 4), motion(seed + 1, 4)
    written = (with_mouth(own, other.expression[:, list(rows)].flatten(1), rows) for rows in (LIP_ROWS, MOUTH_ROWS))
    for made in (absolute(own, other, region("lip")), *written):
        changed = (made.expression != own.expression).any(dim=0).any(dim=1)
        assert set(changed.nonzero().flatten().tolist()) <= set(LIP_ROWS)
        assert made.rotation is own.rotation and made.translation is own.translation and made.scale is own.scale
    everything = with_mouth(own, other.expression.flatten(1), range(21))
    assert torch.equal(everything.expression, other.expression)


@given(st.integers(0, 99), st.integers(2, 30))
def test_smoothing_keeps_a_still_value_and_the_length(seed: int, frames: int) -> None:
    still = np.repeat(np.random.default_rng(seed).normal(size=(1, 5)), frames, axis=0)
    np.testing.assert_allclose(kalman_smooth(still), still, atol=1e-9)
    noisy = still + np.random.default_rng(seed).normal(size=still.shape)
    assert kalman_smooth(noisy, 1e-4, 1.0).std(axis=0).mean() < noisy.std(axis=0).mean()


# Crops


@given(st.integers(0, 99), st.floats(-3.1, 3.1), st.floats(0.5, 4))
def test_a_crop_and_its_inverse_meet(seed: int, turn: float, scale: float) -> None:
    landmarks = face(seed, turn)
    matrix = to_crop(face_square(landmarks, scale))
    np.testing.assert_allclose(moved(moved(landmarks, matrix), np.linalg.inv(matrix)), landmarks, atol=0.01)


@given(st.integers(0, 99), st.floats(-3.1, 3.1))
def test_in_a_crop_the_eyes_are_above_the_mouth_and_all_points_inside(seed: int, turn: float) -> None:
    landmarks = face(seed, turn)
    inside = moved(landmarks, to_crop(face_square(landmarks, SOURCE_SCALE)))
    eyes, mouth = eyes_and_mouth(inside)
    assert eyes[0] == pytest.approx(mouth[0], abs=0.01) and eyes[1] < mouth[1]
    assert (inside > 0).all() and (inside < CROP_PX).all()


def test_without_a_mask_the_frame_stays_bit_for_bit() -> None:
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    crop = rng.integers(0, 256, (CROP_PX, CROP_PX, 3), dtype=np.uint8)
    back = np.linalg.inv(to_crop(face_square(face(0), 0.8)))
    nothing = mask_in_frame(np.zeros((CROP_PX, CROP_PX), np.uint8), back, 160, 120)
    assert np.array_equal(pasted(frame, crop, nothing, back), frame)
    some = mask_in_frame(soft_mask(), back, 160, 120)
    made = pasted(frame, crop, some, back)
    assert np.array_equal(made[some == 0], frame[some == 0]) and not np.array_equal(made[some > 0], frame[some > 0])


def test_a_soft_mask_is_solid_inside_and_gone_at_its_edge() -> None:
    mask = soft_mask()
    assert (mask[128:384, 128:384] == 255).all()
    assert not mask[0].any() and not mask[:, 0].any() and not mask[-1].any() and not mask[:, -1].any()
    assert np.array_equal(mask, mask.T) and np.array_equal(mask, mask[::-1])


def test_a_crop_of_a_plain_frame_is_plain() -> None:
    frame = np.full((300, 400, 3), 77, np.uint8)
    crop = cropped(frame, to_crop(face_square(face(0) * 0.5 + (120, 90), 1.0)))
    assert (crop == 77).all() and (network_input(crop) == 77).all()


# The mesh


@pytest.mark.shared
def test_a_real_face_s_points_lie_as_they_should(shared_dir: Path) -> None:
    import cv2

    rgb = cv2.cvtColor(cv2.imread(str(shared_dir / "media" / "portrait" / "lp_s10.jpg")), cv2.COLOR_BGR2RGB)
    mesh = landmarks_of_picture(rgb)
    assert mesh is not None
    points = from_mesh(mesh)
    assert points.shape == (LAYOUT, 2)
    upright = moved(points, to_crop(face_square(points, SOURCE_SCALE)))
    left_eye, right_eye, outer, inner = upright[:24], upright[24:48], upright[48:84], upright[84:108]
    jaw, left_brow, right_brow = upright[108:145], upright[145:165], upright[165:185]
    assert left_eye[:, 0].max() < right_eye[:, 0].min()
    assert left_eye[6, 1] < left_eye[18, 1] and right_eye[6, 1] < right_eye[18, 1]
    for corner, extreme in ((left_eye[0], left_eye[:, 0].min()), (left_eye[12], left_eye[:, 0].max())):
        assert corner[0] == pytest.approx(extreme, abs=4)
    assert outer[0, 0] == pytest.approx(outer[:, 0].min(), abs=4) and outer[9, 1] < outer[27, 1]
    assert outer[18, 0] == pytest.approx(outer[:, 0].max(), abs=4)
    assert outer[:, 0].min() <= inner[:, 0].min() and inner[6, 1] <= inner[18, 1]
    assert jaw[18, 1] == pytest.approx(jaw[:, 1].max(), abs=3) and jaw[0, 0] < jaw[-1, 0]
    assert left_brow[:, 1].mean() < left_eye[:, 1].min() and right_brow[:, 1].mean() < right_eye[:, 1].min()
    assert 0 < eye_openness(points[None])[0].min() < 0.8 and 0 <= lip_openness(points[None])[0, 0] < 1.5
