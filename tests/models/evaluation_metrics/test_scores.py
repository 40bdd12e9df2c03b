"""All measures of a clip: the recording against itself is the ceiling, silence and other clips are not."""

import json
from pathlib import Path

import numpy as np
import pytest

from media.audio_io import resample
from models.audio_to_mouth.corpus import decode_audio
from models.audio_to_mouth.predict import predict_mouth
from models.corpus.phones import TimedPhone
from models.evaluation.scores import MEASURES, Truth, score_mouth, score_sound, score_sync
from models.jamflow.config import SAMPLE_RATE_HZ
from models.weights.resolve import speaker_encoder
from schemas.media import TimeSpan


def truth_of(folder: Path, name: str) -> Truth:
    lines = (folder / "grid_s1.jsonl").read_text(encoding="utf-8").splitlines()
    entry = next(json.loads(line) for line in lines if f'"{name}"' in line)
    samples, rate_hz = decode_audio(folder / entry["file"])
    words = [(w["word"], TimeSpan(start_s=w["start_s"], end_s=w["end_s"])) for w in entry["words"]]
    none = np.zeros((0, 12))
    return Truth(resample(samples, rate_hz, SAMPLE_RATE_HZ), entry["text"], words, [], none, np.zeros(0, bool))


def refuse(_samples: np.ndarray, text: str) -> float:
    raise AssertionError(f"{text} is GRID: no general recogniser is to be asked")


@pytest.mark.shared
def test_a_recording_against_itself_is_the_ceiling_and_another_is_not(shared_dir: Path) -> None:
    grid = shared_dir / "corpus" / "grid_s1"
    own, other = truth_of(grid, "bbaf2n"), truth_of(grid, "sbwb2n")
    encoder = speaker_encoder(None).path
    same = score_sound(own.samples, own, encoder=encoder, word_error_rate=refuse)
    wrong = score_sound(other.samples, own, encoder=encoder, word_error_rate=refuse)
    assert same["word_accuracy"] >= 5 / 6 and same["deviation"] == 0.0 and same["within_80"] == 1.0
    assert same["boundary_median"] <= 30 and same["voice"] == pytest.approx(1.0, abs=1e-3)
    assert wrong["word_accuracy"] < 0.7 and wrong["deviation"] > same["deviation"] + 20
    assert same.keys() <= MEASURES.keys()


@pytest.mark.shared
def test_a_mouth_fits_the_speech_that_it_was_made_of_and_no_other(shared_dir: Path) -> None:
    own, other = (truth_of(shared_dir / "corpus" / "grid_s1", name) for name in ("bbaf2n", "sbwb2n"))
    mouth = predict_mouth(own.samples, SAMPLE_RATE_HZ).z_scored()[0]
    seen = np.ones(len(mouth))
    assert score_sync(own.samples, mouth, seen)["sync_r"] == pytest.approx(1.0)
    assert score_sync(other.samples, mouth, seen)["sync_r"] < 0.8
    assert score_sync(own.samples, np.roll(mouth, 5, axis=0), seen)["sync_r"] < 0.6


@pytest.mark.shared
def test_silence_says_no_word(shared_dir: Path) -> None:
    own = truth_of(shared_dir / "corpus" / "grid_s1", "bbaf2n")
    silent = np.zeros_like(own.samples)
    values = score_sound(silent, own, encoder=speaker_encoder(None).path, word_error_rate=refuse)
    assert values == {"word_accuracy": 0.0}


def test_a_mouth_against_itself_is_perfect_and_a_still_one_misses_closures() -> None:
    aperture = 1 + np.sin(np.arange(50) * 2 * np.pi / 10)  # closed at frames 7, 17, 27, ...
    mouth = np.random.default_rng(0).standard_normal((50, 12)).astype(np.float32)
    mouth[:, 0] = aperture
    closures = [TimedPhone("p", frame / 25, (frame + 1) / 25) for frame in (17, 27, 37)]
    own = Truth(np.zeros(0), "", [], closures, mouth, np.ones(50, bool))
    same = score_mouth(mouth, own)
    assert same["aperture_r"] == pytest.approx(1.0) and same["mouth_mae"] == 0.0 and same["closures"] == 1.0
    open_wide = mouth.copy()
    open_wide[:, 0] = 2 + 0.01 * aperture
    assert score_mouth(open_wide, own)["closures"] == 0.0
