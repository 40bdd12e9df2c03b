"""A clip's features survive their file exactly, and nothing hostile passes for one."""

import json
import pickle
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))  # with importlib, tests do not find their neighbours

from small_clips import small_clip

from media.tools import find_tools
from models.audio_to_mouth.predict import predict_mouth
from models.corpus.faces import face_mesh_reading
from models.corpus.features import Clip, extract, key_of, read_clip
from models.corpus.manifest import Entry, read_manifest
from models.corpus.phones import PAUSE, TimedPhone, phone_vocabulary
from schemas.errors import ArtifactCorrupt

MESH = face_mesh_reading()
ARRAYS = ("mel", "mouth", "rest", "visible", "phones", "edges_s")


@pytest.mark.parametrize("has_face", [True, False])
def test_bytes_give_back_the_clip(has_face: bool) -> None:
    clip = replace(small_clip(3, 25, has_face=has_face), text="¿Qué “tal”?\n")
    back = Clip.from_bytes(clip.to_bytes())
    for name in ARRAYS:
        ours, theirs = getattr(clip, name), getattr(back, name)
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape and np.array_equal(ours, theirs)
    assert [getattr(back, name) for name in ("id", "speaker", "language", "split", "text")] == [
        clip.id, clip.speaker, clip.language, clip.split, clip.text,
    ]  # fmt: skip
    assert back.to_bytes() == clip.to_bytes()


def _without_metadata(data: bytes) -> bytes:
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    del header["__metadata__"]
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + size :]


WHOLE = small_clip(0, 10, has_face=True).to_bytes()
HOSTILE = {
    "empty": b"",
    "short": b"\x01\x02",
    "pickle": pickle.dumps({"mel": 1}),
    "cut": WHOLE[:-1],
    "endless header": b"\xff" * 8 + WHOLE[8:],
    "no metadata": _without_metadata(WHOLE),
    "another field": WHOLE.replace(b'"rest"', b'"zest"'),
    "no object": struct.pack("<Q", 2) + b"[]",
    "metadata is no object": struct.pack("<Q", 19) + b'{"__metadata__":[]}',
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_bytes_are_refused(case: str) -> None:
    with pytest.raises(ArtifactCorrupt, match="not a clip's features"):
        Clip.from_bytes(HOSTILE[case])


@settings(max_examples=300)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_an_altered_byte_gives_a_clip_or_a_clear_refusal(place: int, change: int) -> None:
    altered = bytearray(WHOLE)
    altered[place] ^= change
    try:
        Clip.from_bytes(bytes(altered))
    except ArtifactCorrupt as error:
        assert "prepare it again" in str(error)


def test_a_key_is_of_the_content_and_of_what_is_said_of_it(tmp_path: Path) -> None:
    one, other = tmp_path / "a.wav", tmp_path / "b.wav"
    one.write_bytes(b"sound")
    other.write_bytes(b"sound")
    entry = Entry("id", one, "s", "en", "train", "text", False, (), (), 0)
    assert key_of(entry, MESH) == key_of(replace(entry, file=other), MESH), "a path is no content"
    for change in ({"language": "en-GB"}, {"text": "texts"}, {"split": "test"}, {"speaker": "t"}, {"id": "ie"}):
        assert key_of(replace(entry, **change), MESH) != key_of(entry, MESH), change
    one.write_bytes(b"sounds")
    assert key_of(entry, MESH) != key_of(replace(entry, file=other), MESH)


def test_a_clip_of_before_has_no_imagined_mouth() -> None:
    size = int.from_bytes(WHOLE[:8], "little")
    header = json.loads(WHOLE[8 : 8 + size])
    words = json.loads(header["__metadata__"]["clip"])
    del words["is_imagined"]
    header["__metadata__"]["clip"] = json.dumps(words)
    text = json.dumps(header).encode()
    clip = Clip.from_bytes(struct.pack("<Q", len(text)) + text + WHOLE[8 + size :])
    assert clip.is_filmed and not clip.is_imagined


def test_sound_is_given_the_mouth_that_is_expected_of_it(tmp_path: Path) -> None:
    path, rate_hz, syllable_s = tmp_path / "a.flac", 24_000, 0.25
    times_s = np.arange(2 * rate_hz) / rate_hz
    voice = np.sign(np.sin(2 * np.pi * 120 * times_s)) * (np.sin(np.pi * times_s / syllable_s) > 0)
    soundfile.write(path, 0.3 * voice, rate_hz)
    entry = Entry("id", path, "s", "en", "train", "", False, (TimedPhone("ˈa", 0.0, 2.0),), (), 0)
    imagining = face_mesh_reading(imagines=True)
    alone, imagined = extract(entry, MESH), extract(entry, imagining)
    assert alone is not None and imagined is not None
    assert not alone.is_imagined and not len(alone.mouth) and not imagined.is_filmed
    mouth, _ = predict_mouth((0.3 * voice).astype(np.float32), rate_hz).z_scored()
    assert np.allclose(imagined.mouth, mouth, atol=0.05), "FLAC keeps 16 bits"
    assert imagined.is_imagined and imagined.visible.all() and not imagined.rest.any()
    assert len(imagined.mel) == round(3.75 * len(mouth)) and imagined.rest.shape == (len(mouth), 12)
    back = Clip.from_bytes(imagined.to_bytes())
    assert back.is_imagined and not back.without_face().is_imagined and not len(back.without_face().mouth)
    assert key_of(entry, MESH) != key_of(entry, imagining)
    film = replace(entry, has_face=True)
    assert key_of(film, MESH) == key_of(film, imagining), "films are read as ever"


@pytest.mark.shared
def test_a_real_film_gives_both_streams_on_one_clock(shared_dir: Path, tmp_path: Path) -> None:
    listed = read_manifest(shared_dir / "corpus" / "grid_s1" / "grid_s1.jsonl")
    entry = next(one for one in listed if one.id == "bbaf3s")
    clip = extract(replace(entry, language="en-GB", picture_late_s=0.04), MESH)
    assert clip is not None
    assert len(clip.mouth) == len(clip.rest) == len(clip.visible) == 74  # of 75: pictures trail sound by one
    assert abs(len(clip.mel) - 3.75 * len(clip.mouth)) <= 0.5 and clip.mel.shape[1] == 100
    assert clip.visible.all() and np.abs(clip.mouth).mean() < 3
    assert clip.edges_s[0] == 0 and (np.diff(clip.edges_s) > 0).all() and len(clip.edges_s) == len(clip.phones) + 1
    # Sound is where words are: louder inside them than in the pauses.
    middles_s = (np.arange(len(clip.mel)) + 0.5) / 93.75
    spoken = clip.phones[np.searchsorted(clip.edges_s, middles_s, side="right").clip(1, len(clip.phones)) - 1]
    is_pause = spoken == phone_vocabulary().ids([PAUSE])[0]
    loudness = clip.mel.astype(np.float32).mean(axis=1)
    assert loudness[~is_pause].mean() > loudness[is_pause].mean() + 1
    path = tmp_path / "clip.safetensors"
    path.write_bytes(clip.to_bytes())
    assert np.array_equal(read_clip(path).mouth, clip.mouth)


@pytest.mark.shared
def test_films_of_any_rate_are_read_on_the_clock_of_the_sound(shared_dir: Path, tmp_path: Path) -> None:
    listed = read_manifest(shared_dir / "corpus" / "grid_s1" / "grid_s1.jsonl")
    entry = replace(next(one for one in listed if one.id == "bbaf3s"), language="en-GB")
    plain, late = extract(entry, MESH), extract(replace(entry, picture_late_s=0.04), MESH)
    assert plain is not None and late is not None
    assert np.array_equal(plain.mouth[1:], late.mouth) and len(plain.mouth) == 75
    assert key_of(entry, MESH) != key_of(replace(entry, picture_late_s=0.04), MESH)
    assert extract(replace(entry, picture_late_s=3.1), MESH) is None, "a film without a mouth is no sound alone"
    quick = tmp_path / "quick.mp4"
    command = [str(find_tools().ffmpeg), "-v", "error", "-i", str(entry.file), "-vf", "fps=50", "-crf", "12"]
    subprocess.run([*command, "-c:a", "copy", str(quick)], check=True)
    doubled = extract(replace(entry, file=quick), MESH)
    assert doubled is not None and abs(len(doubled.mouth) - 75) <= 1 and abs(len(doubled.mel) - len(plain.mel)) <= 4
    frames = min(len(doubled.mouth), 75)
    assert np.corrcoef(doubled.mouth[:frames, 0], plain.mouth[:frames, 0])[0, 1] > 0.98
