"""The trials: what each gives the model, and controls that change what they say they change."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.corpus.features import Clip
from models.corpus.phones import phone_vocabulary
from models.corpus.placing import evenly
from models.evaluation.trials import (
    SHIFT_FRAMES,
    TRIALS,
    Face,
    Placing,
    Recording,
    attempt,
    face_motion,
    motion_of,
    natural_edges_s,
    placed_phones,
    timed,
    trial_of,
)
from models.jamflow.config import HOP_SAMPLES
from models.performer.engine import Engine, load_engine
from models.performer.perform import usual_sampling
from schemas.errors import RequestError

FRAMES, MEL = 40, 150


def clip(seed: int) -> Clip:
    random = np.random.default_rng(seed)
    names = ("_", "b", "ˈɪ", "n", "_")
    return Clip(
        id=f"clip-{seed}",
        speaker="s",
        language="en",
        split="test",
        text="bin",
        mel=random.normal(-4, 2, (MEL, 100)).astype(np.float16),
        mouth=random.standard_normal((FRAMES, 12)).astype(np.float32),
        rest=random.standard_normal((FRAMES, 12)).astype(np.float32),
        visible=np.ones(FRAMES, bool),
        phones=np.array(phone_vocabulary().ids(names)),
        edges_s=np.array([0.0, 0.3, 0.4, 0.9, 1.2, 1.6]),
    )


def recording(seed: int) -> Recording:
    tone = 0.1 * np.sin(2 * np.pi * 150 * np.arange(MEL * HOP_SAMPLES) / 24_000)
    return Recording(clip(seed), tone.astype(np.float32))


@pytest.fixture(scope="module")
def engine(random_engine: Path) -> Engine:
    return load_engine(random_engine / "jamflow-tiny")


def test_motion_comes_back_in_z_scores() -> None:
    own = clip(0)
    mouth, rest = motion_of(own).z_scored()
    np.testing.assert_allclose(mouth, own.mouth, atol=1e-5)
    np.testing.assert_allclose(rest, own.rest, atol=1e-5)


def test_controls_give_another_motion_and_the_trial_itself_the_own() -> None:
    own, other = clip(0), clip(1)
    np.testing.assert_array_equal(face_motion(own, other, Face.OWN).mouth, motion_of(own).mouth)
    np.testing.assert_array_equal(face_motion(own, other, Face.OTHER).mouth, motion_of(other).mouth)
    shifted = face_motion(own, other, Face.SHIFTED).mouth
    np.testing.assert_array_equal(shifted[SHIFT_FRAMES:], motion_of(own).mouth[:-SHIFT_FRAMES])


def test_no_placing_knows_when_phones_inside_the_speech_are_said(engine: Engine) -> None:
    own = clip(0)
    edges_s = natural_edges_s(engine, own)
    np.testing.assert_array_equal(edges_s[[0, 1, 4, 5]], own.edges_s[[0, 1, 4, 5]])
    assert (np.diff(edges_s) > 0).all()
    moved = own.edges_s.copy()
    moved[2:4] = 0.7, 1.0
    np.testing.assert_allclose(natural_edges_s(engine, replace(own, edges_s=moved)), edges_s)
    np.testing.assert_allclose(evenly(own.phones, moved), evenly(own.phones, own.edges_s))


def test_phones_are_withheld_where_a_trial_has_no_text(engine: Engine) -> None:
    own = clip(0)
    assert placed_phones(engine, own, motion_of(own), Placing.NONE) is None
    even = placed_phones(engine, own, motion_of(own), Placing.EVEN)
    assert even == timed(own.phones, evenly(own.phones, own.edges_s))


@pytest.mark.parametrize("name", TRIALS)
def test_every_trial_makes_what_its_mode_says_as_long_as_the_clip(engine: Engine, name: str) -> None:
    own = recording(0)
    made = attempt(engine, TRIALS[name], own, recording(1), recording(2), usual_sampling(1), seed=0)
    hears, sees = made.samples is not None, made.motion is not None
    mode = TRIALS[name].mode
    assert hears == (mode not in ("lipsync", "animate", "convolution"))
    assert sees == (mode not in ("dub", "read", "revoice"))
    if made.samples is not None:
        assert abs(len(made.samples) - len(own.samples)) <= 15 * HOP_SAMPLES
    if made.motion is not None:
        assert abs(len(made.motion.mouth) - FRAMES) <= 4


@pytest.mark.parametrize("name", [name for name, trial in TRIALS.items() if not trial.needs_face])
def test_a_clip_of_sound_alone_is_enough_where_no_face_is_needed(engine: Engine, name: str) -> None:
    own = recording(0)
    none = np.zeros((0, 12), np.float32)
    alone = Recording(replace(own.clip, mouth=none, rest=none, visible=np.zeros(0, bool)), own.samples)
    made = attempt(engine, TRIALS[name], alone, alone, alone, usual_sampling(1), seed=0)
    assert made.samples is not None or made.motion is not None


def test_an_unknown_trial_names_those_that_there_are() -> None:
    with pytest.raises(RequestError, match="dub-even"):
        trial_of("dubbing")
