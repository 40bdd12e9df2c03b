"""Whisper: real words from real speech, nothing from silence, and no decoding loop gets through."""

from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from models.asr.whisper import source_language_code, supported_source_languages, transcribe
from models.asr.words import RawWord, clean_words, compression_ratio
from models.weights.resolve import whisper_base
from schemas.errors import RequestError, WeightsError

DURATION_S = 30.0
times = st.floats(-1.0, DURATION_S + 5.0, allow_nan=False)
raw_words = st.builds(
    RawWord, st.sampled_from([" one", " two", "'s", "%", " 100", " "]), times, times, st.floats(0.0, 1.0)
)


@given(st.lists(st.lists(raw_words, max_size=12), max_size=4))
@settings(deadline=None)
def test_words_come_out_ordered_and_inside_the_audio(segments: list[list[RawWord]]) -> None:
    words = clean_words(segments, DURATION_S)
    assert all(0.0 <= word.span.start_s < word.span.end_s <= DURATION_S for word in words)
    assert all(a.span.end_s <= b.span.start_s for a, b in pairwise(words))
    assert all(word.text == word.text.strip() != "" for word in words)


def test_pieces_join_the_word_they_continue() -> None:
    pieces = [RawWord(" 100", 0.0, 0.5, 0.9), RawWord("%", 0.5, 0.7, 0.4), RawWord(" sure", 0.8, 1.0, 0.8)]
    first, second = clean_words([pieces], 2.0)
    assert (first.text, first.span.end_s, first.probability) == ("100%", 0.7, 0.4)
    assert second.text == "sure"


def test_scripts_without_spaces_stay_apart() -> None:
    pieces = [RawWord("甚", 0.0, 0.5, 0.9), RawWord("至", 0.5, 0.7, 0.4)]
    assert [word.text for word in clean_words([pieces], 2.0)] == ["甚", "至"]


@pytest.mark.parametrize("phrase", [["you"], ["thank", "you"], ["I", "do", "not", "know"]])
def test_a_loop_is_cut_to_two_rounds(phrase: list[str]) -> None:
    looped = ["So", *phrase * 40, "end."]
    pieces = [RawWord(f" {text}", i * 0.1, i * 0.1 + 0.1, 1.0) for i, text in enumerate(looped)]
    assert compression_ratio("".join(piece.text for piece in pieces)) > 2.4
    assert [word.text for word in clean_words([pieces], 60.0)] == ["So", *phrase * 2, "end."]


def test_ordinary_repetition_stays() -> None:
    said = "No no no no, never ever, I said no and I mean no."
    pieces = [RawWord(f" {text}", i * 0.2, i * 0.2 + 0.2, 1.0) for i, text in enumerate(said.split())]
    assert " ".join(word.text for word in clean_words([pieces], 10.0)) == said


def test_language_tags_reduce_to_what_whisper_knows() -> None:
    known = supported_source_languages()
    assert len(known) == 99 and {"en", "es", "de", "zh"} <= known and "yue" not in known
    assert [source_language_code(tag) for tag in ("pt-BR", "EN", "nb", "zh-Hant-TW")] == ["pt", "en", "no", "zh"]
    with pytest.raises(RequestError, match="tlh"):
        source_language_code("tlh")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whisper_base(tmp_path_factory.mktemp("weights")).path


def test_real_speech_is_recognised_in_place(weights: Path) -> None:
    spec = find_spec("pyannote.audio")
    assert spec is not None and spec.submodule_search_locations
    sample = Path(spec.submodule_search_locations[0]) / "sample" / "sample.wav"
    samples, _ = soundfile.read(sample, dtype="float32")
    progress: list[tuple[int, int]] = []
    heard = transcribe(
        samples[: 20 * 16_000], weights=weights, language=None, threads=1, on_progress=lambda *at: progress.append(at)
    )
    assert heard.language == "en" and heard.language_probability > 0.5
    spoken = {word.text.strip(".,?!").lower(): word.span for word in heard.words}
    assert 12.2 < spoken["diane"].start_s < spoken["jersey"].end_s < 14.5  # reference: 12.54 to 14.18 s
    assert progress[-1] == (20, 20)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(32_000), np.full(16_000, 1e-6)])
def test_silence_gives_no_words(samples: np.ndarray, weights: Path) -> None:
    assert transcribe(samples, weights=weights, language=None).words == ()
    assert transcribe(samples, weights=weights, language="en-GB").language == "en"


def test_noise_gives_no_words(weights: Path) -> None:
    noise = 0.01 * np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    assert transcribe(noise, weights=weights, language="en", threads=1).words == ()


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=tmp_path.name):
        transcribe(np.ones(16_000, np.float32), weights=tmp_path, language="en")
