"""What an evaluation can ask of its clips."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models" / "corpus"))  # with importlib, tests do not find others

from small_clips import small_clip

from models.evaluation.trials import TRIALS, Recording
from schemas.errors import RequestError
from tasks.evaluate import Material


def material(*, has_face: bool) -> Material:
    own = Recording(small_clip(0, 20, has_face=has_face), np.zeros(20 * 960, np.float32))
    return Material((own,), (), (own,))


def test_sound_alone_allows_the_trials_that_need_no_face() -> None:
    assert material(has_face=True).trials(()) == tuple(TRIALS)
    allowed = material(has_face=False).trials(())
    assert {"read", "speak", "animate", "cascade"} <= set(allowed) and "dub" not in allowed
    assert material(has_face=False).trials(("read",)) == ("read",)
    with pytest.raises(RequestError, match="trial dub needs films of faces"):
        material(has_face=False).trials(("read", "dub"))
