"""A line's mouths come from the speaker's own frames, near the line, from closed to open."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.facemesh.align import Pose
from models.facemesh.bank import FARTHEST_FRAMES, BankChoice, choose_bank
from models.facemesh.space import APERTURE, Encoded


def talking(frames: int) -> Encoded:
    """A still head whose mouth opens and closes every second."""
    mouth = np.zeros((frames, 12), np.float32)
    mouth[:, APERTURE] = 0.1 * (1 - np.cos(2 * np.pi * np.arange(frames) / 25))
    pose = Pose(np.full(frames, 80.0), np.tile(np.eye(3), (frames, 1, 1)), np.zeros((frames, 3)))
    return Encoded(mouth, np.zeros((frames, 12), np.float32), pose)


@given(start=st.integers(0, 2900), length=st.integers(1, 100))
def test_no_mouth_is_taken_from_farther_than_half_a_minute(start: int, length: int) -> None:
    face = talking(3000)
    rows = np.arange(start, start + length)
    bank = choose_bank(face, np.ones(3000), rows, face.mouth[rows])
    outside = np.maximum(rows[0] - bank.rows, bank.rows - rows[-1])
    assert outside.max() <= FARTHEST_FRAMES
    assert np.all(np.diff(bank.apertures) > 0)


def test_of_equal_mouths_the_nearest_is_taken() -> None:
    face = talking(3000)
    rows = np.arange(1000, 1050)
    bank = choose_bank(face, np.ones(3000), rows, face.mouth[rows])
    assert rows[0] - 25 <= bank.rows.min() and bank.rows.max() <= rows[-1] + 25


@given(st.lists(st.floats(0, 0.4), min_size=1, max_size=6, unique=True), st.floats(-0.1, 0.6))
def test_weights_sum_to_one_and_enclose_the_opening(apertures: list[float], asked: float) -> None:
    bank = BankChoice(np.arange(len(apertures)), np.array(sorted(apertures)))
    weights = bank.weights(asked)
    assert np.isclose(sum(weight for _, weight in weights), 1)
    assert all(0 < weight <= 1 and 0 <= entry < len(apertures) for entry, weight in weights)
