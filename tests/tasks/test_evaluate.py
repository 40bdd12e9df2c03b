"""What an evaluation can ask of its clips."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1] / "models" / "corpus"))  # with importlib, tests do not find others

from small_clips import small_clip

from models.evaluation.trials import TRIALS, Recording
from schemas.errors import RequestError
from schemas.evaluation import EvaluationRequest
from tasks.evaluate import Material, claim_outputs, keep_recordings


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


def test_a_folder_holds_what_one_kind_of_weights_performed_in_one_way(tmp_path: Path) -> None:
    asked = EvaluationRequest(manifest="corpus.jsonl", trials=("dub",), out=str(tmp_path))
    claim_outputs(asked, "a" * 64)
    claim_outputs(asked.model_copy(update={"trials": ("read",)}), "a" * 64)
    for changes, weights, told in (
        ({"steps": 8}, "a", "was begun with steps = 16, and now it is 8"),
        ({"clips": 3}, "a", "was begun with clips = None, and now it is 3"),
        ({}, "b", "was begun with weights = aaa"),
    ):
        with pytest.raises(RequestError, match=told):
            claim_outputs(asked.model_copy(update=changes), weights * 64)


def test_recordings_are_written_once(tmp_path: Path) -> None:
    asked = EvaluationRequest(manifest="corpus.jsonl", out=str(tmp_path))
    (kept,) = keep_recordings.fn(asked, material(has_face=True)).iterdir()
    before = kept.stat().st_mtime_ns, kept.read_bytes()
    keep_recordings.fn(asked, material(has_face=True))
    assert (kept.stat().st_mtime_ns, kept.read_bytes()) == before
    assert soundfile.info(kept).frames == 20 * 960
