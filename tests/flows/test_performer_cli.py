"""`jamdub speak`, `revoice`, `lipsync`, `animate` as a user meets them, with an engine of random numbers."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile
from skimage.data import astronaut

from media.compare import frame_count
from media.probe import probe
from media.tools import find_tools
from schemas.performance_request import PerformanceReceipt

ROOT = Path(__file__).resolve().parents[2]
Jamdub = Callable[..., tuple[int, str]]


@pytest.fixture
def jamdub(
    run_jamdub: Callable[..., subprocess.CompletedProcess[str]],
    random_engine: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Jamdub:
    """Run `jamdub` in this process: (exit code, what it said)."""
    monkeypatch.setenv("JAMDUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JAMDUB_MODELS_DIR", str(random_engine))
    monkeypatch.setenv("JAMDUB_THREADS", "1")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str]:
        done = run_jamdub(*arguments)
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def program(random_engine: Path, prefect_api: str, tmp_path: Path) -> Jamdub:
    """Run `jamdub` as a program of its own: Prefect reads where its results lie once in a process, and keeps to it."""
    homes = {"JAMDUB_HOME": tmp_path / "home", "JAMDUB_MODELS_DIR": random_engine, "JAMDUB_THREADS": 1}
    own = {"PYTHONPATH": ROOT, "PREFECT_API_URL": prefect_api, **homes}
    environment = {**os.environ, **{name: str(value) for name, value in own.items()}}

    def run(*arguments: object) -> tuple[int, str]:
        command = [sys.executable, "-m", "flows.cli", *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A folder with `face.png`, `no_face.png`, `sound.wav` of 1 s, `silent.mp4` of 1 s without a face and sound."""
    cv2.imwrite(str(tmp_path / "face.png"), cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR))
    cv2.imwrite(str(tmp_path / "no_face.png"), np.full((96, 128, 3), 90, np.uint8))
    soundfile.write(tmp_path / "sound.wav", 0.1 * np.sin(np.arange(24_000) / 20), 24_000)
    picture = ["-f", "lavfi", "-i", "testsrc=size=128x96:rate=25:duration=1", "-pix_fmt", "yuv420p"]
    subprocess.run([find_tools().ffmpeg, "-v", "error", *picture, tmp_path / "silent.mp4"], check=True, timeout=60)
    return tmp_path


REFUSED = {
    "no text": (("speak", "--out", "a.wav"), 2, "say what to speak once"),
    "two texts": (("speak", "Hi.", "--text-file", "t.txt", "--out", "a.wav"), 2, "say what to speak once"),
    "no such text file": (("speak", "--text-file", "t.txt", "--out", "a.wav"), 2, "t.txt cannot be read"),
    "blank": (("speak", "  ", "--out", "a.wav"), 2, "no text to speak"),
    "unknown language": (("speak", "Hi.", "--language", "xx", "--out", "a.wav"), 2, "do not speak 'xx'"),
    "no language": (("speak", "Hi.", "--language", "not one", "--out", "a.wav"), 2, "language 'not one'"),
    "another format": (("speak", "Hi.", "--out", "a.mp3"), 2, "a.mp3: speech is written as .wav or .flac"),
    "unknown voice": (("speak", "Hi.", "--voice", "alto", "--out", "a.wav"), 2, "choose one of low, high"),
    "cloning": (("speak", "Hi.", "--reference", "sound.wav", "--out", "a.wav"), 2, "needs its owner's consent"),
    "two voices": (
        ("speak", "Hi.", "--reference", "sound.wav", "--voice", "low", "--out", "a.wav"), 2, "name two voices",
    ),
    "consent to nothing": (("speak", "Hi.", "--consent", "face.png", "--out", "a.wav"), 2, "--consent is about a"),
    "no reference": (("speak", "Hi.", "--reference", "n.wav", "--out", "a.wav"), 2, "n.wav does not exist"),
    "no face": (("animate", "no_face.png", "sound.wav", "--out", "a.mp4"), 3, "no_face.png: no face is found"),
    "no picture": (("animate", "sound.wav", "sound.wav", "--out", "a.mp4"), 3, "sound.wav cannot be read as a pic"),
    "no portrait": (("animate", "x.png", "sound.wav", "--out", "a.mp4"), 2, "x.png does not exist"),
    "no sound": (("animate", "face.png", "silent.mp4", "--out", "a.mp4"), 3, "silent.mp4: there is no sound"),
    "no mp4": (("animate", "face.png", "sound.wav", "--out", "a.webm"), 2, "is written as .mp4"),
    "nothing to say": (("animate", "face.png", "--out", "a.mp4"), 2, "says once: a sound, or a text"),
    "two things": (("animate", "face.png", "sound.wav", "--text", "Hi.", "--out", "a.mp4"), 2, "says once"),
    "its own voice": (
        ("animate", "face.png", "sound.wav", "--voice", "low", "--out", "a.mp4"), 2, "a sound has its voice already",
    ),
    "text unknown": (("animate", "face.png", "--text", "Hi.", "--language", "xx", "--out", "a.mp4"), 2, "speak 'xx'"),
    "no video": (("lipsync", "sound.wav", "sound.wav", "--out", "a.mp4"), 3, "sound.wav: there is no picture"),
    "lengths": (("lipsync", "silent.mp4", "long.wav", "--out", "a.mp4"), 2, "long.wav lasts 2.00 s and silent.mp4"),
    "container": (("lipsync", "silent.mp4", "sound.wav", "--out", "a.mkv"), 2, "go into .mp4"),
    "its own input": (("revoice", "silent.mp4", "--out", "silent.mp4", "--overwrite"), 2, "replace its own input"),
}  # fmt: skip


@pytest.mark.usefixtures("media")
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_told_in_one_line_before_any_work(jamdub: Jamdub, tmp_path: Path, case: str) -> None:
    soundfile.write(tmp_path / "long.wav", 0.1 * np.ones(48_000), 24_000)
    arguments, code, says = REFUSED[case]
    before = {path.name for path in tmp_path.iterdir()} | {"home"}
    found, said = jamdub(*arguments)
    told = [line for line in said.splitlines() if line.startswith("jamdub: ")]
    assert len(told) == 1 and says in told[0], said
    assert found == code and "Traceback" not in said
    assert {path.name for path in tmp_path.iterdir()} | {"home"} == before


OUTSIDE = {
    "a reference": ("speak", "Hi.", "--reference", "/etc/hostname", "--consent", "c.json", "--out", "a.wav"),
    "a consent record": ("speak", "Hi.", "--reference", "sound.wav", "--consent", "/etc/hostname", "--out", "a.wav"),
    "a motion": ("speak", "Hi.", "--out", "a.wav", "--motion-out", "/tmp/m.safetensors"),
    "a video": ("revoice", "/etc/hostname", "--out", "a.mp4"),
    "a sound": ("lipsync", "silent.mp4", "/etc/hostname", "--out", "a.mp4"),
    "a portrait": ("animate", "../../face.png", "sound.wav", "--out", "a.mp4"),
    "an output": ("animate", "face.png", "sound.wav", "--out", "../a.mp4"),
    "clips": ("evaluate", "/etc/hostname", "--out", "o"),
    "a report": ("evaluate", "sound.wav", "--out", "/tmp/o"),
}


@pytest.mark.usefixtures("media")
@pytest.mark.parametrize("case", OUTSIDE)
def test_nothing_outside_of_the_root_is_opened(
    jamdub: Jamdub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.setenv("JAMDUB_FILES_ROOT", str(tmp_path))
    found, said = jamdub(*OUTSIDE[case])
    assert found == 2 and f"is outside of {tmp_path}, the only folder that is opened here" in " ".join(said.split())


def test_without_the_engines_weights_the_remedy_is_told(
    jamdub: Jamdub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from models.weights import resolve as resolving

    monkeypatch.setattr(resolving, "REPOSITORY_WEIGHTS", tmp_path)
    monkeypatch.setenv("JAMDUB_MODELS_DIR", str(tmp_path))
    code, said = jamdub("speak", "Hi.", "--out", "a.wav")
    assert code == 1 and "git checkout -- weights/jamflow-tiny" in said


def test_a_dry_run_checks_everything_and_writes_nothing(jamdub: Jamdub, media: Path) -> None:
    code, said = jamdub("animate", "face.png", "sound.wav", "--out", "new/a.mp4", "--dry-run")
    assert code == 0 and "nothing was written" in said
    assert not (media / "new").exists()


def test_an_expired_consent_is_refused_by_the_command(jamdub: Jamdub, media: Path) -> None:
    (media / "c.json").write_text(json.dumps(consent_for(media / "sound.wav", expires_on="2021-01-01")))
    code, said = jamdub("speak", "Hi.", "--reference", "sound.wav", "--consent", "c.json", "--out", "a.wav")
    assert code == 2 and "it expired on 2021-01-01" in said


def consent_for(recording: Path, **changes: str) -> dict[str, object]:
    scope = {"languages": ["*"], "uses": ["speak"]}
    return {
        "person": "A", "given_by": "A", "given_on": "2020-01-01", "expires_on": "2999-01-01", "scope": scope,
        "contact": "a@example.org", "recording_sha256": hashlib.sha256(recording.read_bytes()).hexdigest(), **changes,
    }  # fmt: skip


@pytest.mark.parametrize("engine", ["cascade"])
def test_the_cascade_clones_nobody(jamdub: Jamdub, media: Path, engine: str) -> None:
    sounding = media / "clip.mp4"
    inputs = ["-i", media / "silent.mp4", "-i", media / "sound.wav"]
    subprocess.run([find_tools().ffmpeg, "-v", "error", *inputs, "-c:v", "copy", sounding], check=True, timeout=60)
    code, said = jamdub("dub", "clip.mp4", "--from", "en", "--to", "es", "--engine", engine, "--voice", "own")
    assert code == 2 and "engine cascade speaks in packaged voices only" in said
    code, said = jamdub("dub", "clip.mp4", "--from", "en", "--to", "es", "--engine", "jamflow", "--voice", "own")
    assert code == 2 and "clip.mp4 needs its owner's consent" in said


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_command_makes_its_file_and_a_receipt_that_says_it_is_synthetic(program: Jamdub, media: Path) -> None:
    code, said = program("speak", "Hello there.", "--out", "o/s.flac", "--motion-out", "o/s.safetensors", "--takes", 2)
    assert code == 0, said
    spoken = receipt(media / "o" / "s.receipt.json")
    assert spoken.mode == "speak" and len(spoken.takes) == 2 and spoken.voice == "low (packaged)"
    assert [own.name for own in spoken.outputs] == ["s.flac", "s.safetensors"]
    assert b"synthetic speech made with jamdub" in (media / "o" / "s.flac").read_bytes()

    code, said = program("animate", "face.png", "sound.wav", "--out", "o/a.mp4")
    assert code == 0, said
    info = probe(media / "o" / "a.mp4", find_tools())
    assert info.video is not None and (info.video.width, info.video.height) == (512, 512)
    assert info.duration_s == pytest.approx(1.0, abs=0.05) and receipt(media / "o" / "a.receipt.json").synthetic_media

    code, said = program("animate", "face.png", "--text", "Hello.", "--voice", "low", "--takes", 1, "--out", "o/t.mp4")
    assert code == 0, said
    told, info = receipt(media / "o" / "t.receipt.json"), probe(media / "o" / "t.mp4", find_tools())
    assert told.mode == "reanimate" and told.voice == "low (packaged)" and info.audio and info.video is not None
    assert told.duration_s == pytest.approx(info.duration_s, abs=0.1)

    code, said = program("lipsync", "o/a.mp4", "sound.wav", "--out", "o/l.mp4")
    assert code == 0, said
    assert receipt(media / "o" / "l.receipt.json").frames_rendered == 25
    assert len(probe(media / "o" / "l.mp4", find_tools()).audio) == 2

    code, said = program("revoice", "o/l.mp4", "--out", "o/r.mp4", "--voice", "high", "--takes", 1)
    assert code == 0, said
    revoiced = receipt(media / "o" / "r.receipt.json")
    assert revoiced.voice == "high (packaged)" and revoiced.takes[0].mouth_r is not None
    assert revoiced.duration_s == pytest.approx(1.0, abs=0.05)

    code, said = program("revoice", "silent.mp4", "--out", "o/x.mp4")
    assert code == 3 and "silent.mp4: no face is found in this video" in said


@pytest.fixture
def gone_and_back(media: Path) -> Path:
    """A face for a second, a test picture for a second, the face again; at 5 frames a second."""
    face = ("-loop", "1", "-framerate", "5", "-t", "1", "-i", media / "face.png")
    between = ("-f", "lavfi", "-i", "testsrc=size=512x512:rate=5:duration=1")
    sound = ("-f", "lavfi", "-i", "sine=f=200:duration=3")
    joined = ("-filter_complex", "[0][1][2]concat=n=3,format=yuv420p", "-map", "3:a")
    command = [find_tools().ffmpeg, "-v", "error", *face, *between, *face, *sound, *joined, media / "gone.mp4"]
    subprocess.run(command, check=True, timeout=60)
    return media / "gone.mp4"


@pytest.mark.slow
def test_a_stretch_without_a_usable_face_is_left_as_it_is_and_told_with_its_times(
    program: Jamdub, gone_and_back: Path
) -> None:
    code, said = program("lipsync", gone_and_back, gone_and_back, "--out", "o/l.mp4")
    assert code == 0, said
    told = "no usable face from 1.0 s to 2.0 s: these frames are left as they are"
    assert f"warning: {told}" in " ".join(said.split())
    made = receipt(gone_and_back.parent / "o" / "l.receipt.json")
    assert made.warnings == (told,) and (made.frames_rendered, made.frames_skipped) == (10, 5)
    assert frame_count(gone_and_back.parent / "o" / "l.mp4") == 15


def receipt(path: Path) -> PerformanceReceipt:
    return PerformanceReceipt.model_validate_json(path.read_bytes())
