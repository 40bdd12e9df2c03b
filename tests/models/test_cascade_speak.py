"""Lines spoken to length by the real voice."""

import numpy as np
import pytest

from media.tools import find_tools
from models.cascade.fit import MOST_STRETCH
from models.cascade.speak import PEAK, Performance, SpeakResources, faded, speak
from models.kokoro.network import SAMPLE_RATE_HZ
from schemas.dub import Utterance, Voice
from schemas.errors import RequestError
from schemas.media import TimeSpan

VOICE = Voice(speaker="A", blend=(("jm_kumo", 1.0),), similarity=0.5, median_f0_hz=110.0)


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> SpeakResources:
    return SpeakResources(tmp_path_factory.mktemp("weights"), None, 1, find_tools())


def line(text: str, duration_s: float, room_s: float = 0.0, pauses: tuple[tuple[float, float], ...] = ()) -> Utterance:
    return Utterance(
        text=text,
        language="es",
        voice=VOICE,
        duration_s=duration_s,
        room_s=room_s,
        pauses=tuple(TimeSpan(start_s=start, end_s=end) for start, end in pauses),
    )


def loud(performance: Performance, start_s: float, end_s: float) -> float:
    part = performance.samples[round(start_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)]
    return float(np.sqrt(np.mean(part**2)))


def test_a_line_is_as_long_as_the_original_and_pauses_where_it_did(resources: SpeakResources) -> None:
    said = speak(line("No lo sé. Pregúntale mañana.", 3.4, pauses=((1.2, 2.0),)), resources=resources, with_motion=True)
    assert len(said.samples) == round(3.4 * SAMPLE_RATE_HZ)
    assert said.samples.dtype == np.float32 and np.abs(said.samples).max() <= PEAK
    assert said.overflow_s == said.unfit_s == 0
    assert loud(said, 0.0, 0.2) > 20 * loud(said, 1.3, 1.95) and loud(said, 2.0, 2.3) > 20 * loud(said, 1.3, 1.95)
    assert said.motion is not None and said.motion.mouth.shape == (85, 12)
    assert 0.85 <= said.speed <= 1.25 and 1.0 <= said.stretch <= MOST_STRETCH


def test_too_much_text_runs_over_and_says_so(resources: SpeakResources) -> None:
    said = speak(line("Mañana por la tarde vendrán todos.", 0.9, room_s=0.2), resources=resources, with_motion=False)
    assert said.speed == 1.25 and said.stretch == MOST_STRETCH
    assert said.overflow_s == pytest.approx(len(said.samples) / SAMPLE_RATE_HZ - 0.9, abs=1e-3)
    assert said.unfit_s == pytest.approx(said.overflow_s - 0.2, abs=1e-3)
    assert said.overflow_s > 0.2 and loud(said, len(said.samples) / SAMPLE_RATE_HZ - 0.3, 99) > 0.005


def test_a_short_text_stays_natural(resources: SpeakResources) -> None:
    said = speak(line("Sí.", 3.0), resources=resources, with_motion=False)
    assert said.speed == 0.85 and said.stretch == 1.0
    assert len(said.samples) == 3 * SAMPLE_RATE_HZ and loud(said, 0, 0.3) > 0.01 and loud(said, 1.5, 3) == 0


def test_the_same_line_gives_the_same_samples_by_weights_put_together_once(resources: SpeakResources) -> None:
    one, again = (speak(line("Sí.", 1.0), resources=resources, with_motion=False) for _ in range(2))
    assert np.array_equal(one.samples, again.samples)
    assert len(list(resources.cache_dir.glob("kokoro-*"))) == 1


@pytest.mark.parametrize("text", ["", "...", "¿?\n", "— —"])
def test_a_line_without_words_is_refused(resources: SpeakResources, text: str) -> None:
    with pytest.raises(RequestError, match="no word"):
        speak(line(text, 1.0), resources=resources, with_motion=False)


def test_fades_reach_zero_and_keep_the_middle() -> None:
    quiet = faded(np.ones(2000, np.float32))
    assert quiet[0] == quiet[-1] == 0 and (quiet[120:-120] == 1).all() and (np.diff(quiet[:121]) > 0).all()
