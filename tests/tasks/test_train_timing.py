"""Natural lengths are learned from all clips whose phones have times."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models" / "corpus"))  # tests do not find their neighbours

from small_clips import small_clip

from models.corpus.features import Clip
from models.corpus.phones import PAUSE, phone_vocabulary
from models.timing.durations import load_durations
from schemas.errors import RequestError
from schemas.training import TimingCourse
from tasks.train_timing import fit_durations

COURSE = TimingCourse(duration_epochs=60)
COMMAND, STORY = ["b", "ˈɪ", "n"], ["t", "ˈa", "m", "ˈa", "t"]


def said(number: int, spoken: list[str], phone_s: float, *, has_face: bool) -> Clip:
    lengths_s = [0.3, *np.full(len(spoken), phone_s), 0.3]
    return replace(
        small_clip(number, 25, has_face=has_face),
        phones=np.array(phone_vocabulary().ids([PAUSE, *spoken, PAUSE])),
        edges_s=np.concatenate([[0.0], np.cumsum(lengths_s)]),
    )


def test_films_and_sound_both_teach(tmp_path: Path) -> None:
    films = [said(number, COMMAND, 0.2, has_face=True) for number in range(32)]
    sounds = [said(number, STORY, 0.05, has_face=False) for number in range(32)]
    fit_durations(tmp_path / "durations.safetensors", films + sounds, COURSE, seed=0)
    lengths = load_durations(tmp_path / "durations.safetensors")
    assert lengths(COMMAND) == pytest.approx([0.2] * 3, rel=0.2)
    assert lengths(STORY) == pytest.approx([0.05] * 5, rel=0.2)


def test_clips_without_phones_teach_nothing(tmp_path: Path) -> None:
    silent = said(0, [], 0.1, has_face=False)
    with pytest.raises(RequestError, match="no clip has the times of its phones"):
        fit_durations(tmp_path / "durations.safetensors", [silent], COURSE, seed=0)
