"""Engine `jamflow` as a task: which mode speaks a line, several takes, the best of them kept with all scores."""

from pathlib import Path

import numpy as np
import pytest

from models.facemesh.space import space
from models.motion import Motion
from models.weights.resolve import jamflow
from schemas.artifact import ArtifactRef, ModelRef
from schemas.dub import Take, Utterance, Voice
from schemas.media import TimeSpan
from schemas.performance import LineMotion, ModeChoice
from tasks.perform import choose_mode, move_lips, perform_takes, voice_mouth
from tasks.voices import cast_references, packaged_reference
from tasks.workplace import SAFETENSORS, Workplace, open_workplace

REF = ArtifactRef(sha256="a" * 64, media_type=SAFETENSORS, size_bytes=1)


@pytest.mark.parametrize(
    ("lips", "seen", "mode", "reason"),
    [
        ("keep", 1.0, "dub", "100%"),
        ("keep", 0.6, "dub", "60%"),
        ("keep", 0.59, "read", "59% of the line, 60% are needed"),
        ("keep", 0.0, "read", "no face"),
        ("reanimate", 0.2, "reanimate", "20%"),
        ("reanimate", 0.0, "read", "no face"),
    ],
)
def test_the_mode_follows_what_is_seen_and_may_change(lips, seen: float, mode: str, reason: str) -> None:  # type: ignore[no-untyped-def]
    choice = choose_mode(lips, LineMotion(line_id="L1", motion=REF, seen_share=seen))
    assert choice.mode == mode and reason in choice.reason


def test_a_line_without_a_face_is_read() -> None:
    assert choose_mode("keep", LineMotion(line_id="L1", motion=None, seen_share=0.0)).mode == "read"


@pytest.fixture
def place(random_engine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.setenv("JAMDUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JAMDUB_MODELS_DIR", str(random_engine))
    monkeypatch.setenv("JAMDUB_THREADS", "1")
    return open_workplace()


@pytest.fixture
def engine(random_engine: Path) -> ModelRef:
    return jamflow(random_engine).ref


def face(place: Workplace, frames: int) -> ArtifactRef:
    rng = np.random.default_rng(0)
    mouth, rest = (rng.normal(size=(frames, 12)).astype(np.float32) for _ in range(2))
    motion = Motion(space(), mouth, rest, np.ones(frames, np.float32))
    return place.store.put_bytes(motion.to_bytes(), SAFETENSORS)


def utterance(engine: ModelRef, text: str, duration_s: float) -> Utterance:
    voice = Voice(speaker="S1", reference=packaged_reference.fn("low", engine), similarity=1.0, median_f0_hz=None)
    pauses = (TimeSpan(start_s=0.4, end_s=0.7),)
    return Utterance(text=text, language="en", voice=voice, duration_s=duration_s, room_s=0.1, pauses=pauses, seed=5)


def test_all_takes_are_scored_and_the_cheapest_is_kept(place: Workplace, engine: ModelRef) -> None:
    what = utterance(engine, "Hello there.", 1.2)
    choice = ModeChoice(mode="dub", reason="seen")
    take: Take = perform_takes.fn(what, choice, face(place, 40), 3, engine)
    assert {own.seed for own in take.scores} == {5, 1005, 2005} and take.seed == take.scores[0].seed
    assert [own.cost for own in take.scores] == sorted(own.cost for own in take.scores)
    assert all(own.wer is not None and own.mouth_r is not None for own in take.scores)
    assert (take.engine, take.mode, take.mode_reason, take.motion) == ("jamflow", "dub", "seen", None)
    assert take.duration_s == pytest.approx(1.2, abs=1e-3)
    again: Take = perform_takes.fn(what, choice, face(place, 40), 3, engine)
    assert again == take


def test_a_text_that_does_not_fit_runs_over_and_says_so(place: Workplace, engine: ModelRef) -> None:
    what = utterance(engine, "This is far too much to be said in such a short time.", 0.8)
    take: Take = perform_takes.fn(what, ModeChoice(mode="reanimate", reason="seen"), face(place, 20), 1, engine)
    assert take.overflow_s > 0.5 and take.unfit_s == pytest.approx(take.overflow_s - 0.1, abs=1e-3)
    assert take.duration_s == pytest.approx(0.8 + take.overflow_s, abs=1e-3)
    assert take.motion is not None
    moved = Motion.from_bytes(place.store.get_bytes(take.motion))
    assert len(moved.mouth) == pytest.approx(25 * take.duration_s, abs=1)


def test_a_mouth_is_moved_and_voiced(place: Workplace, engine: ModelRef) -> None:
    shown = face(place, 50)
    take: Take = voice_mouth.fn(shown, packaged_reference.fn(None, engine), 2, 7, engine)
    assert take.duration_s == 2.0 and {own.seed for own in take.scores} == {7, 1007}
    mouth = Motion.from_bytes(place.store.get_bytes(move_lips.fn(take.audio, shown, "lipsync", 0, engine)))
    assert mouth.mouth.shape == (50, 12)


def test_other_weights_of_the_engine_are_another_key(engine: ModelRef) -> None:
    from tasks.stage import content_key

    other = engine.model_copy(update={"sha256": "b" * 64})
    assert content_key("speak", 1, {"engine": engine}) != content_key("speak", 1, {"engine": other})


def test_nobody_to_cast_is_no_voice(place: Workplace, engine: ModelRef) -> None:
    dialogue = place.put_samples(np.zeros((16_000, 1), np.float32), 16_000)
    assert cast_references.fn((), dialogue, "en", engine) == ()
