"""Features are computed once; what is refused is counted by reason and not tried again."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.corpus.faces import face_mesh_reading
from models.corpus.manifest import Entry, read_manifest
from models.corpus.prepare import SUFFIX, of_split, prepare

MESH = face_mesh_reading()


def ignore(_done: int, _total: int) -> None:
    """For whom the result is enough."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Entry, ...]:
    """Two tones, a film of noise without any face, a film that is none."""
    import av

    folder = tmp_path_factory.mktemp("corpus")
    time_s = np.arange(24_000) / 24_000
    for name, pitch_hz in (("a", 220), ("b", 330)):
        soundfile.write(folder / f"{name}.flac", 0.2 * np.sin(2 * np.pi * pitch_hz * time_s), 24_000)
    with av.open(str(folder / "noise.mkv"), "w") as film:
        picture = film.add_stream("ffv1", rate=25, width=64, height=64)
        sound = film.add_stream("pcm_s16le", rate=24_000, layout="mono")
        rng = np.random.default_rng(0)
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(rng.integers(0, 255, (64, 64, 3), np.uint8))
            film.mux(picture.encode(frame))
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), format="s16", layout="mono")
        tone.sample_rate = 24_000
        film.mux([*sound.encode(tone), *picture.encode(None), *sound.encode(None)])
    (folder / "broken.mp4").write_bytes(b"no film")
    said = {"speaker": "s", "language": "en", "text": "moo"}
    lines = [
        {"id": "a", "file": "a.flac", "phones": [["m", 0.0, 1.0]], **said},
        {"id": "b", "file": "b.flac", "split": "test", **said},
        {"id": "noise", "file": "noise.mkv", "fps": 25, **said},
        {"id": "broken", "file": "broken.mp4", "fps": 25, **said},
    ]
    index = folder / "corpus.jsonl"
    index.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return read_manifest(index)


def state(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_what_is_there_is_not_made_again(corpus: Sequence[Entry], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    first = prepare(corpus, tmp_path, faces=MESH, workers=2, on_progress=lambda *counts: told.append(counts))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert first.refused == {"no face": 1, "not decoded": 1}
    assert [clip.id for clip in first.clips()] == ["a", "b"]
    assert [clip.id for clip in of_split(first.clips(), "test")] == ["b"]
    before = state(tmp_path)
    assert {Path(name).suffix for name in before} == {SUFFIX, ".refused"} and len(before) == 4
    assert prepare(corpus, tmp_path, faces=MESH, workers=1, on_progress=ignore) == first
    assert state(tmp_path) == before


def test_what_is_lacking_is_made_the_same(corpus: Sequence[Entry], tmp_path: Path) -> None:
    first = prepare(corpus, tmp_path, faces=MESH, workers=1, on_progress=ignore)
    content = first.files[0].read_bytes()
    first.files[0].unlink()
    (tmp_path / "left-by-a-kill.part").write_bytes(b"half")
    assert prepare(corpus, tmp_path, faces=MESH, workers=1, on_progress=ignore) == first
    assert first.files[0].read_bytes() == content


def test_others_can_read_the_features(corpus: Sequence[Entry], tmp_path: Path) -> None:
    made = prepare(corpus[:1], tmp_path, faces=MESH, workers=1, on_progress=ignore)
    assert made.files[0].stat().st_mode & 0o444 == 0o444, "a pool's workers run as another user"
