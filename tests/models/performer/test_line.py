"""A line of any length: cut at pauses, nothing left out, joined to exactly its length."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.corpus.phones import PAUSE, TimedPhone
from models.facemesh.space import space
from models.jamflow.config import SAMPLE_RATE_HZ
from models.motion import Motion
from models.performer.engine import Engine, load_engine
from models.performer.line import FPS, LONGEST_PART_S, Performable, perform_line, pieces
from models.performer.perform import Reference, usual_sampling


@st.composite
def lines(draw: st.DrawFn) -> tuple[TimedPhone, ...]:
    """Phrases of 0.2 to 4 s, a pause between each and the next."""
    phrases = draw(st.lists(st.tuples(st.floats(0.2, 4.0), st.floats(0.1, 1.0)), min_size=1, max_size=10))
    phones, at_s = [], 0.0
    for said_s, paused_s in phrases:
        phones += [TimedPhone("a", at_s, at_s + said_s), TimedPhone(PAUSE, at_s + said_s, at_s + said_s + paused_s)]
        at_s += said_s + paused_s
    return tuple(phones)


@given(lines())
def test_pieces_cover_a_line_without_gaps_and_are_short_where_pauses_allow(phones: tuple[TimedPhone, ...]) -> None:
    parts = pieces(phones)
    assert parts[0].first == 0
    assert all(own.first + own.frames == after.first for own, after in pairwise(parts))
    assert (parts[-1].first + parts[-1].frames) / FPS >= phones[-1].end_s - 1e-6
    assert all(part.frames <= LONGEST_PART_S * FPS for part in parts)  # every phrase with its pauses is shorter
    for part in parts:
        assert part.phones[-1].end_s == pytest.approx(part.frames / FPS)


@given(lines())
def test_no_sound_of_a_line_is_lost_by_cutting_it(phones: tuple[TimedPhone, ...]) -> None:
    def spoken_s(timed: tuple[TimedPhone, ...]) -> float:
        return sum(own.duration_s for own in timed if own.phone != PAUSE)

    assert sum(spoken_s(part.phones) for part in pieces(phones)) == pytest.approx(spoken_s(phones))


def test_a_long_stretch_without_a_pause_stays_whole() -> None:
    phones = tuple(TimedPhone("a", float(at), at + 1.0) for at in range(20))
    assert [part.frames for part in pieces(phones)] == [20 * FPS]


@pytest.fixture(scope="module")
def engine(random_engine: Path) -> Engine:
    return load_engine(random_engine / "jamflow-tiny")


def face(frames: int, visible: float = 1.0) -> Motion:
    rng = np.random.default_rng(0)
    mouth, rest = (rng.normal(size=(frames, 12)).astype(np.float32) for _ in range(2))
    return Motion(space(), mouth, rest, np.full(frames, visible, np.float32))


REFERENCE = Reference(
    np.sin(np.arange(24_000) / 20).astype(np.float32) * 0.2, (TimedPhone("m", 0.0, 0.5), TimedPhone("ˈu", 0.5, 1.0))
)
PHONES = (TimedPhone(PAUSE, 0, 0.2), TimedPhone("s", 0.2, 0.5), TimedPhone("ˈi", 0.5, 1.113))


@pytest.mark.parametrize(
    ("mode", "has_motion"), [("dub", False), ("reanimate", True), ("speak", True), ("read", False)]
)
def test_every_mode_lasts_exactly_as_long_as_its_line(engine: Engine, mode: str, has_motion: bool) -> None:
    motion = face(20) if mode in ("dub", "reanimate") else None  # shorter than the line: the rest is unseen
    made = perform_line(engine, Performable(mode, PHONES, REFERENCE, motion), usual_sampling(2), seed=1)
    assert made.samples is not None and len(made.samples) == round(1.113 * SAMPLE_RATE_HZ)
    assert np.isfinite(made.samples).all() and np.abs(made.samples).max() <= 1.0
    assert (made.motion is not None) == has_motion
    if made.motion is not None:
        assert len(made.motion.mouth) == 28  # the frames that hold 1.113 s


def test_the_voice_follows_the_mouth_that_is_given(engine: Engine) -> None:
    lines = [Performable("dub", PHONES, REFERENCE, motion) for motion in (face(28), face(28), face(28, visible=0.0))]
    one, again, unseen = (perform_line(engine, line, usual_sampling(2), seed=1).samples for line in lines)
    assert np.array_equal(one, again)  # type: ignore[arg-type]
    read = perform_line(engine, Performable("read", PHONES, REFERENCE), usual_sampling(2), seed=1).samples
    assert np.array_equal(unseen, read)  # type: ignore[arg-type]


def test_parts_are_joined_in_silence(engine: Engine) -> None:
    phones = [TimedPhone("a", 0, 6.0), TimedPhone(PAUSE, 6.0, 7.0), TimedPhone("a", 7.0, 12.0)]
    made = perform_line(engine, Performable("read", tuple(phones), REFERENCE), usual_sampling(2), seed=0).samples
    assert made is not None and len(made) == 12 * SAMPLE_RATE_HZ
    join = round(6.5 * FPS) * SAMPLE_RATE_HZ // FPS
    assert abs(made[join]) < 1e-6 and abs(made[join - 1]) < 1e-2
