"""LivePortrait's numbers as a motion space."""

import numpy as np
import pytest

from models.facemesh.space import space as facemesh_space
from models.liveportrait.space import MOUTH_ROWS, SIX_ROWS, measured_space, rest_rows, rows_of, split
from models.motion import Motion
from schemas.errors import RequestError

EXPRESSIONS = [np.random.default_rng(seed).normal(0.01, 0.02, (30, 21, 3)) for seed in range(3)]


@pytest.mark.parametrize("rows", [MOUTH_ROWS, SIX_ROWS])
def test_a_measured_space_names_its_rows_and_has_its_corpus_at_mean_0_and_deviation_1(rows: tuple[int, ...]) -> None:
    space = measured_space(EXPRESSIONS, rows)
    assert rows_of(space) == rows and len(space.mouth_dims) == 3 * len(rows)
    assert sorted((*rows, *rest_rows(rows))) == list(range(21))
    mouth, rest = split(np.concatenate(EXPRESSIONS), rows)
    z_scored = np.concatenate(Motion(space, mouth, rest, np.ones(90, np.float32)).z_scored(), axis=1)
    np.testing.assert_allclose(z_scored.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(z_scored.std(axis=0), 1, atol=1e-3)


def test_mouth_and_rest_are_the_rows_of_the_expression() -> None:
    mouth, rest = split(EXPRESSIONS[0], MOUTH_ROWS)
    np.testing.assert_array_equal(mouth.reshape(30, 4, 3), EXPRESSIONS[0][:, list(MOUTH_ROWS)].astype(np.float32))
    np.testing.assert_array_equal(
        rest.reshape(30, 17, 3), EXPRESSIONS[0][:, list(rest_rows(MOUTH_ROWS))].astype(np.float32)
    )


def test_another_space_and_no_motion_are_refused() -> None:
    with pytest.raises(RequestError, match="'facemesh' with 12 mouth and 12 rest numbers is none of LivePortrait's"):
        rows_of(facemesh_space())
    with pytest.raises(RequestError, match="no motion to measure"):
        measured_space([])
