"""Every mode of the table, and what each refuses."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given as sometimes
from hypothesis import strategies as st

from models.jamflow.compose import Composed, Material, Voice, compose
from models.jamflow.config import MotionConfig, trunk
from models.jamflow.lengths import common_period, fitted, mel_frames_of, motion_frames_of
from models.jamflow.mel import MEL_FLOOR
from models.jamflow.modes import MODES
from models.motion import Motion
from schemas.errors import LengthMismatch, MediaError, RequestError
from schemas.media import TimeSpan
from schemas.motion import MotionSpace

CONFIG = MotionConfig(trunk(48, 1, 2, 32), mouth=5, rest=3, mel_frames=3.75, features=0)
MEL, MOUTH, REST = torch.randn(75, 100), torch.randn(20, 5), torch.randn(20, 3)
TEXT = (4, 5, 6)
VOICE = Voice(torch.randn(40, 100), (1, 2))

# What each mode is given in these tests, by the plan's table.
FULL = {
    "dub": Material(tokens=TEXT, voice=VOICE, mouth=MOUTH, rest=REST),
    "reanimate": Material(tokens=TEXT, voice=VOICE, rest=REST),
    "lipsync": Material(mel=MEL, rest=REST),
    "animate": Material(tokens=TEXT, mel=MEL),
    "speak": Material(tokens=TEXT, mel_frames=75),
    "revoice": Material(voice=VOICE, mouth=MOUTH, rest=REST),
    "read": Material(tokens=TEXT, voice=VOICE, mel_frames=75),
}
# (text, audio generated, mouth generated, mouth known, rest known)
TABLE = {
    "dub": (True, True, False, True, True),
    "reanimate": (True, True, True, False, True),
    "lipsync": (False, False, True, False, True),
    "animate": (True, False, True, False, False),
    "speak": (True, True, True, False, False),
    "revoice": (False, True, False, True, True),
    "read": (True, True, None, None, None),
}


def own(composed: Composed) -> Any:
    """Known frames of the clip itself: of mel, mouth, rest."""
    given, v, w = composed.given, composed.voice_mel_frames, composed.voice_motion_frames
    motion = given.motion
    return given.audio.known[0, v:], *(
        (None, None) if motion is None else (motion.mouth_known[0, w:], motion.rest_known[0, w:])
    )


def test_every_mode_is_tested() -> None:
    assert set(FULL) == set(TABLE) == set(MODES)


@pytest.mark.parametrize("mode", FULL)
def test_a_mode_gives_and_generates_what_the_table_says(mode: str) -> None:
    composed = compose(mode, FULL[mode], CONFIG)
    given = composed.given
    has_text, makes_audio, makes_mouth, mouth_known, rest_known = TABLE[mode]
    assert bool(given.audio.has_text) == has_text and bool(given.audio.is_generated) == makes_audio
    mel, mouth, rest = own(composed)
    assert bool(mel.all()) == (not makes_audio) and bool(mel.any()) == (not makes_audio)
    if makes_mouth is None:
        assert given.motion is None and not given.audio_listens
        return
    assert bool(given.motion.is_generated) == makes_mouth
    assert (bool(mouth.all()), bool(rest.all())) == (mouth_known, rest_known)
    assert (bool(mouth.any()), bool(rest.any())) == (mouth_known, rest_known)
    assert len(mel) == 75 and len(mouth) == 20


@pytest.mark.parametrize("mode", FULL)
def test_what_a_mode_composes_can_be_sampled(mode: str, small_model: Any) -> None:
    from models.jamflow.sampler import noise_for, sample
    from models.jamflow.schedule import uniform_grid

    model = small_model()
    given = compose(mode, FULL[mode], CONFIG).given
    made = sample(model, given, noise_for(given, model, [1]), uniform_grid(2))
    assert all(part is None or torch.isfinite(part).all() for part in made)


def test_a_voice_comes_before_the_clip_and_fills_whole_motion_frames() -> None:
    composed = compose("dub", FULL["dub"], CONFIG)
    audio, motion = composed.given.audio, composed.given.motion
    assert (composed.voice_mel_frames, composed.voice_motion_frames) == (45, 12)  # 40 mel frames, and 5 of silence
    assert torch.equal(audio.mel[0, :40], VOICE.mel) and (audio.mel[0, 40:45] == MEL_FLOOR).all()
    assert audio.known[0, :45].all() and audio.tokens.tolist() == [[1, 2, 4, 5, 6]]
    assert not motion.mouth_known[0, :12].any() and torch.equal(motion.mouth[0, 12:], MOUTH)
    assert compose("read", FULL["read"], CONFIG).voice_mel_frames == 40  # nothing to be in step with


def test_a_voice_may_have_a_face() -> None:
    seen = replace(VOICE, mouth=torch.ones(11, 5))
    motion = compose("dub", replace(FULL["dub"], voice=seen), CONFIG).given.motion
    assert motion.mouth_known[0, :11].all() and not motion.mouth_known[0, 11] and (motion.mouth[0, :11] == 1).all()


def test_hidden_spans_of_partly_given_streams() -> None:
    material = replace(FULL["reanimate"], mel=MEL, mouth=MOUTH, hidden_audio=[TimeSpan(start_s=0.2, end_s=0.4)],
                       hidden_mouth=[TimeSpan(start_s=0.0, end_s=0.08), TimeSpan(start_s=0.7, end_s=0.8)])  # fmt: skip
    mel, mouth, _ = own(compose("reanimate", material, CONFIG))
    assert (~mel).nonzero().flatten().tolist() == list(range(18, 38))  # every frame that the span touches
    assert (~mouth).nonzero().flatten().tolist() == [0, 1, 17, 18, 19]


def test_frames_without_a_face_are_unknown() -> None:
    visible = torch.arange(20) % 4 > 0
    _, mouth, rest = own(compose("dub", replace(FULL["dub"], visible=visible), CONFIG))
    assert torch.equal(mouth, visible) and torch.equal(rest, visible)


SPAN = [TimeSpan(start_s=0.0, end_s=0.5)]
REFUSED = {
    "unknown mode": ("sing", Material(), "unknown mode 'sing': choose one of dub, reanimate"),
    "no text": ("dub", replace(FULL["dub"], tokens=None), "mode dub needs text"),
    "no voice": ("dub", replace(FULL["dub"], voice=None), "mode dub needs a reference voice"),
    "no mouth": ("revoice", replace(FULL["revoice"], mouth=None), "mode revoice needs the mouth's motion"),
    "no sound": ("lipsync", replace(FULL["lipsync"], mel=None), "mode lipsync needs sound"),
    "no rest": ("reanimate", replace(FULL["reanimate"], rest=None), "mode reanimate needs the face's other motion"),
    "text unread": ("revoice", replace(FULL["revoice"], tokens=TEXT), "mode revoice does not take text"),
    "sound to generate": ("dub", replace(FULL["dub"], mel=MEL), "mode dub does not take sound: leave it out, or hide"),
    "motion unread": ("read", replace(FULL["read"], mouth=MOUTH), "mode read does not take the mouth's motion"),
    "hidden and not made": ("dub", replace(FULL["dub"], hidden_mouth=SPAN), "mode dub generates no mouth: hide no"),
    "no length": ("speak", replace(FULL["speak"], mel_frames=None), "nothing says how long the clip is"),
    "span outside": ("reanimate", replace(FULL["reanimate"], mel=MEL, hidden_audio=[TimeSpan(start_s=0.2, end_s=0.9)]),
                     "the hidden span 0.2 to 0.9 s leaves the clip, which lasts 0.80 s"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    mode, material, told = REFUSED[case]
    with pytest.raises(RequestError, match=told):
        compose(mode, material, CONFIG)


def test_a_face_that_is_never_seen_is_told() -> None:
    with pytest.raises(MediaError, match="mode dub: the face is seen in none of 20 frames"):
        compose("dub", replace(FULL["dub"], visible=torch.zeros(20, dtype=torch.bool)), CONFIG)


# Lengths


@sometimes(st.integers(1, 4000))
def test_frame_counts_agree_in_time(motion_frames: int) -> None:
    mel_frames = mel_frames_of(motion_frames, 3.75)
    assert abs(mel_frames / 93.75 - motion_frames / 25) <= 0.5 / 93.75 + 1e-9
    assert motion_frames_of(mel_frames, 3.75) == motion_frames


def test_the_common_period() -> None:
    assert common_period(3.75) == 15
    assert common_period(93.75 / 30) == 25
    assert motion_frames_of(common_period(3.75), 3.75) * 3.75 == 15


@sometimes(st.integers(10, 500), st.integers(-2, 2))
def test_small_differences_are_absorbed_exactly(wanted: int, off: int) -> None:
    motion = torch.arange(wanted + off).float()[:, None]
    out = fitted(motion, mel_frames_of(wanted, 3.75), 3.75)
    kept = min(wanted, wanted + off)
    assert len(out) == wanted and torch.equal(out[:kept], motion[:kept])  # frame for frame, never stretched
    assert (out[kept:] == motion[kept - 1]).all()


@pytest.mark.parametrize("frames", [0, 17, 23])
def test_larger_differences_are_refused(frames: int) -> None:
    with pytest.raises(LengthMismatch) as caught:
        fitted(torch.zeros(frames, 2), 75, 3.75)
    told = str(caught.value)
    assert f"the sound lasts 0.80 s and the motion {frames / 25:.2f} s ({frames} frames, 20 expected)" in told
    assert "cut both to the same span" in told


def test_a_mode_refuses_sound_and_motion_of_different_lengths() -> None:
    with pytest.raises(LengthMismatch):
        compose("lipsync", replace(FULL["lipsync"], rest=torch.zeros(30, 3)), CONFIG)


# Z-scores


def test_motion_goes_to_z_scores_and_back() -> None:
    space = MotionSpace(name="s", fps=25, mouth_dims=("a", "b"), rest_dims=("c",), mean=(1, 2, 3), std=(0.5, 0.1, 2))
    rng = np.random.default_rng(0)
    motion = Motion(
        space,
        rng.normal(size=(6, 2)).astype(np.float32),
        rng.normal(size=(6, 1)).astype(np.float32),
        np.ones(6, np.float32),
    )
    mouth, rest = motion.z_scored()
    assert np.allclose(mouth, (motion.mouth - [1, 2]) / [0.5, 0.1], atol=1e-5) and np.allclose(
        rest, (motion.rest - 3) / 2
    )
    back = Motion.of_mouth(space, mouth)
    assert np.allclose(back.mouth, motion.mouth, atol=1e-6) and back.rest.shape == (6, 0) and (back.visible == 1).all()
    assert Motion(space, motion.mouth, np.zeros((6, 0), np.float32), motion.visible).z_scored()[1].shape == (6, 0)
