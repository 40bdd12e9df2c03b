"""A training's features read by LivePortrait: the space is measured, then the same films are read into it."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from media.tools import find_tools
from models.corpus.features import key_of, read_clip
from models.corpus.manifest import read_manifest
from models.liveportrait.space import MOUTH_ROWS, SIX_ROWS, rows_of
from models.motion import read_space
from models.weights.folders import seal
from schemas.errors import WeightsError
from schemas.training import Corpus, Features, Size, Training
from tasks.train_clips import prepare_features
from tasks.train_faces import reading_of
from tasks.train_plan import check_training
from tasks.train_space import measure_space

pytestmark = [pytest.mark.slow, pytest.mark.shared]
FRAMES = 8


@pytest.fixture
def corpus(shared_dir: Path, tmp_path: Path) -> Path:
    """An index of one film of eight frames."""
    film = tmp_path / "clip.mkv"
    grid = shared_dir / "corpus" / "grid_s1" / "bbaf2n.mp4"
    command = [find_tools().ffmpeg, "-v", "error", "-ss", "0.8", "-i", grid, "-t", str(FRAMES / 25), "-c:v", "ffv1"]
    subprocess.run([*command, "-c:a", "pcm_s16le", film], check=True, timeout=60)
    entry = {"id": "a", "file": film.name, "speaker": "s", "language": "en", "text": "blue", "fps": 25}
    index = tmp_path / "corpus.jsonl"
    index.write_text(json.dumps(entry))
    return index


@pytest.fixture
def models_dir(seeded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "liveportrait").symlink_to(seeded)
    seal(folder / "liveportrait")
    monkeypatch.setenv("JAMDUB_MODELS_DIR", str(folder))
    return folder


@pytest.mark.usefixtures("models_dir")
@pytest.mark.parametrize("rows", [pytest.param(MOUTH_ROWS, marks=pytest.mark.full_size), SIX_ROWS])
def test_films_are_read_into_the_space_that_was_measured_on_them(
    corpus: Path, tmp_path: Path, rows: tuple[int, ...]
) -> None:
    space = measure_space(corpus, tmp_path / "space.json", rows, 5, lambda _done, _total: None)
    assert read_space(tmp_path / "space.json") == space and rows_of(space) == rows
    features = Features(
        folder=tmp_path / "features", corpora=(Corpus(index=corpus),), motion_space=tmp_path / "space.json"
    )
    (file,) = prepare_features.fn(features, ())
    clip = read_clip(file)
    assert clip.mouth.shape == (FRAMES, 3 * len(rows)) and clip.rest.shape == (FRAMES, 63 - 3 * len(rows))
    every = np.concatenate([clip.mouth, clip.rest], axis=1)
    assert np.abs(every.mean(axis=0)).max() < 0.6 and 0.4 < np.median(every.std(axis=0)) < 1.6
    (entry,) = read_manifest(corpus)
    assert file.stem == key_of(entry, reading_of(features)) != key_of(entry, reading_of(Features(folder=tmp_path)))


def test_without_the_weights_a_training_is_refused_before_it_starts(
    models_dir: Path, corpus: Path, tmp_path: Path
) -> None:
    measure_space(corpus, tmp_path / "space.json", MOUTH_ROWS, 1, lambda _done, _total: None)
    (models_dir / "liveportrait").unlink()
    features = Features(
        folder=tmp_path / "features", corpora=(Corpus(index=corpus),), motion_space=tmp_path / "space.json"
    )
    with pytest.raises(WeightsError, match="copy the released folder `liveportrait` into JAMDUB_MODELS_DIR"):
        check_training(Training(out=tmp_path / "out", seed=0, size=Size(name="tiny"), features=features))
