"""Diarization: names in order of speech, slivers dropped, and the two real speakers of a telephone call."""

import pickle
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from models.diarization.pyannote import diarize, named_turns, without_slivers
from models.weights.resolve import pyannote_segmentation, speaker_encoder
from schemas.errors import WeightsError
from schemas.speech import Turn

stretches = st.lists(
    st.tuples(st.floats(0, 60), st.floats(0.01, 9), st.integers(0, 4)).map(lambda x: (x[0], x[0] + x[1], x[2]))
)


@given(stretches)
def test_speakers_are_numbered_as_they_first_speak(found: list[tuple[float, float, int]]) -> None:
    turns = named_turns(found)
    assert len(turns) == len(found)
    first_heard = list(dict.fromkeys(turn.speaker for turn in turns))
    assert first_heard == [f"S{number}" for number in range(1, len(first_heard) + 1)]
    assert [turn.span.start_s for turn in turns] == sorted(turn.span.start_s for turn in turns)


@given(stretches)
def test_slivers_are_dropped_but_never_everything(found: list[tuple[float, float, int]]) -> None:
    kept = without_slivers(found)
    assert bool(kept) == bool(found)
    assert set(kept) <= set(found)
    for label in {stretch[2] for stretch in found} - {stretch[2] for stretch in kept}:
        assert sum(end_s - start_s for start_s, end_s, who in found if who == label) < 1.0


def test_one_given_speaker_needs_no_network() -> None:
    nowhere = Path("/nowhere")
    turns = diarize(np.zeros(8000), segmentation=nowhere, encoder=nowhere, num_speakers=1)
    assert [(turn.speaker, turn.span.start_s, turn.span.end_s) for turn in turns] == [("S1", 0.0, 0.5)]
    assert diarize(np.zeros(0), segmentation=nowhere, encoder=nowhere) == ()


def _found(samples: np.ndarray, num_speakers: int | None) -> tuple[Turn, ...]:
    return diarize(
        samples,
        segmentation=pyannote_segmentation().path,
        encoder=speaker_encoder().path,
        num_speakers=num_speakers,
        threads=1,
    )


def test_a_telephone_call_falls_into_its_two_speakers() -> None:
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.database.util import load_rttm
    from pyannote.metrics.diarization import DiarizationErrorRate

    spec = find_spec("pyannote.audio")
    assert spec is not None and spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "sample"
    samples, _ = soundfile.read(folder / "sample.wav", dtype="float32")
    turns = _found(samples[: 20 * 16_000], 2)
    hypothesis = Annotation()
    for number, turn in enumerate(turns):
        hypothesis[Segment(turn.span.start_s, turn.span.end_s), number] = turn.speaker
    (reference,) = load_rttm(str(folder / "sample.rttm")).values()
    assert {turn.speaker for turn in turns} == {"S1", "S2"} and turns[0].speaker == "S1"
    assert DiarizationErrorRate()(reference, hypothesis, uem=Timeline([Segment(0, 20)])) < 0.12


def test_silence_has_no_speakers() -> None:
    assert _found(np.zeros(16_000 * 6), None) == ()


@pytest.mark.shared
@pytest.mark.parametrize(("name", "speakers"), [("ps_austen_0870", 1), ("leopard_test_es", 1)])
def test_one_voice_stays_one_speaker(name: str, speakers: int, shared_dir: Path) -> None:
    samples, _ = soundfile.read(shared_dir / "media" / "speech" / f"{name}.wav", dtype="float32")
    assert len({turn.speaker for turn in _found(samples, None)}) == speakers


class _Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("open(__import__('tempfile').gettempdir() + '/jamdub-was-here', 'w').close()",)


def test_a_checkpoint_with_code_in_it_is_refused_unrun(tmp_path: Path) -> None:
    import tempfile

    from models.diarization.network import load_segmentation

    hostile = tmp_path / "pytorch_model.bin"
    hostile.write_bytes(pickle.dumps({"state_dict": _Payload()}, protocol=2))
    with pytest.raises(WeightsError, match="not a PyanNet"):
        load_segmentation(hostile)
    assert not (Path(tempfile.gettempdir()) / "jamdub-was-here").exists()
