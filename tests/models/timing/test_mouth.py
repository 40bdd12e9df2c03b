"""Following a mouth: phones keep their order and cover the motion; closed lips are found where they are."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.alignment.network import FrameClassifier, FrameClassifierConfig
from models.corpus.features import Clip
from models.corpus.phones import PAUSE, TimedPhone, phone_vocabulary
from models.timing.mouth import UPSAMPLE, MouthTiming, load_mouth_timing, train_mouth_timing, viseme_frames
from models.timing.visemes import VISEMES, viseme_of_phone
from schemas.errors import WeightsError

OPEN, CLOSED = "ˈa", "m"


def clip_of(phones: list[str], frames: list[int], number: int) -> Clip:
    """A mouth that is open (2) in vowels, closed (-2) in m and half open (0) in pauses, with a little noise."""
    height = np.repeat([{OPEN: 2.0, CLOSED: -2.0, PAUSE: 0.0}[phone] for phone in phones], frames)
    mouth = 0.1 * np.random.default_rng(number).standard_normal((len(height), 12))
    mouth[:, 0] += height
    edges_s = np.concatenate([[0.0], np.cumsum(frames)]) / 25
    ids = np.array(phone_vocabulary().ids(phones))
    seen = np.ones(len(height), bool)
    mel = np.zeros((round(3.75 * len(height)), 100), np.float16)
    floats = mouth.astype(np.float32)
    return Clip(f"c{number}", "s", "en", "train", "", mel, floats, floats, seen, ids, edges_s)


def drawn_clip(number: int) -> Clip:
    """Forty frames of pause, ma ma ma, pause, each of its parts as long as chance has it."""
    rng = np.random.default_rng(number)
    cuts = np.sort(rng.choice(np.arange(1, 12), 7, replace=False)) * 3
    frames = np.diff([0, *cuts, 40]).tolist()
    return clip_of([PAUSE, *[CLOSED, OPEN] * 3, PAUSE], frames, number)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("timing") / "mouth"
    train_mouth_timing([drawn_clip(number) for number in range(48)], made, steps=120, seed=0)
    return made


def phones_at(clip: Clip, edges_s: np.ndarray) -> list[TimedPhone]:
    names = [phone_vocabulary().entries[number] for number in clip.phones]
    return [TimedPhone(*timed) for timed in zip(names, edges_s[:-1].tolist(), edges_s[1:].tolist(), strict=True)]


def test_a_mouth_corrects_times_that_the_text_alone_gives(folder: Path) -> None:
    timing = load_mouth_timing(folder)
    before_s, after_s = [], []
    for number in range(100, 112):
        clip = drawn_clip(number)
        evenly_s = np.linspace(0, clip.edges_s[-1], len(clip.edges_s))
        followed = timing.follow(phones_at(clip, evenly_s), clip.mouth)
        found_s = np.array([0.0, *(phone.end_s for phone in followed)])
        before_s.append(np.abs(evenly_s - clip.edges_s).mean())
        after_s.append(np.abs(found_s - clip.edges_s).mean())
    assert np.mean(after_s) < 0.04 < 0.08 < np.mean(before_s)


NAMES = st.lists(st.sampled_from([PAUSE, "p", "ˈa", "t", "iː", "m", "w"]), min_size=1, max_size=25)


@settings(max_examples=40)
@given(names=NAMES, shares=st.data(), frames=st.integers(1, 60))
def test_following_keeps_order_and_ends(names: list[str], shares: st.DataObject, frames: int) -> None:
    network = FrameClassifier(FrameClassifierConfig(12, 16, 1, len(VISEMES), UPSAMPLE)).eval()
    lengths = shares.draw(st.lists(st.floats(0.05, 1), min_size=len(names), max_size=len(names)))
    edges_s = np.concatenate([[0.0], np.cumsum(lengths)]) / sum(lengths) * frames / 25
    asked = [TimedPhone(*timed) for timed in zip(names, edges_s[:-1].tolist(), edges_s[1:].tolist(), strict=True)]
    mouth = np.random.default_rng(frames).standard_normal((frames, 12)).astype(np.float32)
    found = MouthTiming(network).follow(asked, mouth)
    assert [one.phone for one in found if one.phone != PAUSE] == [name for name in names if name != PAUSE]
    assert found[0].start_s == 0 and found[-1].end_s == pytest.approx(frames / 25)
    assert all(one.end_s == other.start_s and one.duration_s > 0 for one, other in pairwise(found))


def test_visemes_of_frames_are_those_of_the_phones_at_their_middle() -> None:
    clip = clip_of([PAUSE, CLOSED, OPEN], [2, 1, 3], 0)
    expected = np.repeat(viseme_of_phone()[clip.phones], [8, 4, 12])
    assert viseme_frames(clip).tolist() == expected.tolist()


def test_a_folder_without_a_classifier_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="does not hold a frame classifier"):
        load_mouth_timing(tmp_path)
