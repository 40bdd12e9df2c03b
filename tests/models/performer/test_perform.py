"""One performance: as long as what is given, equal for equal seeds, and refused where something is missing."""

from pathlib import Path

import numpy as np
import pytest

from models.corpus.phones import PAUSE, TimedPhone
from models.facemesh.space import space
from models.jamflow.config import HOP_SAMPLES
from models.motion import Motion
from models.performer.engine import Engine, load_engine
from models.performer.perform import Part, Performance, Reference, duration_s_of, material, perform, usual_sampling
from schemas.errors import MediaError, RequestError

MEL_PER_MOTION = 3.75
PHONES = (
    TimedPhone(PAUSE, 0.0, 0.2),
    TimedPhone("m", 0.2, 0.6),
    TimedPhone("ˈA", 0.6, 1.4),
    TimedPhone(PAUSE, 1.4, 1.6),
)


def motion(frames: int, visible: float = 1.0) -> Motion:
    random = np.random.default_rng(frames)
    mouth, rest = (random.standard_normal((frames, 12)).astype(np.float32) for _ in range(2))
    return Motion(space(), mouth, rest, np.full(frames, visible, np.float32))


def voice() -> Reference:
    tone = 0.1 * np.sin(2 * np.pi * 120 * np.arange(24_000) / 24_000)
    return Reference(tone.astype(np.float32), (TimedPhone("ˈA", 0.0, 1.0),))


@pytest.fixture(scope="module")
def engine(random_engine: Path) -> Engine:
    return load_engine(random_engine / "jamflow-tiny")


def made(engine: Engine, part: Part, seed: int = 0) -> Performance:
    return perform(engine.joint, engine.decode, part, usual_sampling(2), seed=seed)


def test_every_mel_frame_reads_the_phone_of_its_middle() -> None:
    given = material(Part("dub", PHONES, voice(), motion=motion(40)), MEL_PER_MOTION)
    assert given.tokens is not None and len(given.tokens) == 150 == given.mel_frames
    starts = [round(phone.start_s * 93.75) for phone in PHONES]
    assert [given.tokens[start] for start in starts] == [given.tokens[start + 2] for start in starts]
    assert len({given.tokens[start] for start in starts}) == 3  # two pauses are the same phone


def test_a_voice_is_cut_to_whole_motion_frames_so_that_phones_stay_in_step() -> None:
    given = material(Part("dub", PHONES, voice(), motion=motion(40)), MEL_PER_MOTION)
    assert given.voice is not None
    assert len(given.voice.mel) % 15 == 0 and len(given.voice.tokens) == len(given.voice.mel)


def test_a_dub_lasts_as_long_as_the_mouth_and_is_the_same_for_the_same_seed(engine: Engine) -> None:
    part = Part("dub", PHONES, voice(), motion=motion(40))
    first, again, other = (made(engine, part, seed) for seed in (0, 0, 1))
    assert first.samples is not None and len(first.samples) == 150 * HOP_SAMPLES and first.motion is None
    assert again.samples is not None and other.samples is not None
    np.testing.assert_array_equal(first.samples, again.samples)
    assert not np.array_equal(first.samples, other.samples)
    assert duration_s_of(first) == 1.6


def test_speech_and_mouth_are_made_together(engine: Engine) -> None:
    both = made(engine, Part("speak", PHONES, duration_s=1.6))
    assert both.samples is not None and both.motion is not None
    assert len(both.motion.mouth) == 40 and both.motion.space == space()


@pytest.mark.parametrize(
    ("part", "missing"),
    [
        (Part("dub", PHONES, motion=motion(40)), "a reference voice"),
        (Part("dub", PHONES, voice(), duration_s=1.6), "the mouth's motion"),
        (Part("speak", PHONES), "duration"),
        (Part("revoice", PHONES, motion=motion(40)), "does not take text"),
    ],
)
def test_what_is_missing_is_named(engine: Engine, part: Part, missing: str) -> None:
    with pytest.raises(RequestError, match=missing):
        made(engine, part)


def test_a_mouth_that_is_never_seen_cannot_be_followed(engine: Engine) -> None:
    with pytest.raises(MediaError, match="seen in none of 40 frames"):
        made(engine, Part("dub", PHONES, voice(), motion=motion(40, visible=0.0)))
