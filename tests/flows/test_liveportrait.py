"""The main path in LivePortrait's space, at full network size: real film, weights of random numbers.

Seeded weights draw a picture of nothing; what is proven is that every stage works in that space, which frames are
drawn, and that nothing else changes. A frame takes tens of CPU seconds, so films have one or two frames a second.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))  # with importlib, tests do not find their neighbours

from liveportrait_goldens import Golden

from media.compare import frame_count
from media.probe import probe
from media.tools import find_tools
from models.liveportrait.space import measured_space
from models.weights.folders import seal
from schemas.dub import Receipt
from schemas.motion import MotionSpace
from schemas.performance_request import PerformanceReceipt

pytestmark = [pytest.mark.slow, pytest.mark.full_size, pytest.mark.shared, pytest.mark.timeout(1500)]

ROOT = Path(__file__).resolve().parents[2]
SRT = "1\n00:00:00,000 --> 00:00:01,000\nHola.\n\n2\n00:00:03,200 --> 00:00:04,400\nAdiós.\n"
UNSEEN = "no usable face from 3.2 s to 4.4 s: these frames are left as they are"

Jamdub = Callable[..., subprocess.CompletedProcess[str]]


def ffmpeg(*arguments: object) -> None:
    subprocess.run([find_tools().ffmpeg, "-v", "error", *map(str, arguments)], check=True, timeout=60)


@pytest.fixture(scope="module")
def media(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`two.mp4`: a speaker, then a test picture, 2 frames a second; `one.mp4`: one frame; `blip.wav`: 40 ms."""
    folder = tmp_path_factory.mktemp("media")
    grid = ("-i", shared_dir / "media" / "video" / "grid_lbax4n.mp4")
    pattern = ("-f", "lavfi", "-i", "testsrc=size=360x288:rate=2:duration=1.5")
    joined = "[0:v]fps=2,setsar=1[face];[face][1:v]concat=n=2,format=yuv420p[v];[0:a]apad=whole_dur=4.5[a]"
    ffmpeg(*grid, *pattern, "-filter_complex", joined, "-map", "[v]", "-map", "[a]", folder / "two.mp4")
    ffmpeg(*grid, "-t", 1, "-r", 1, folder / "one.mp4")
    ffmpeg(*grid, "-t", 0.04, "-vn", "-ac", 1, "-ar", 24_000, folder / "blip.wav")
    (folder / "es.srt").write_text(SRT)
    return folder


@pytest.fixture(scope="module")
def jamdub(
    shared_dir: Path,
    make_random_engine: Callable[[MotionSpace], Path],
    prefect_api: str,
    media: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Jamdub:
    """Run `jamdub`, whose engine moves faces in LivePortrait's space."""
    space = measured_space([np.random.default_rng(0).normal(0, 0.01, (100, 21, 3))])
    models_dir = make_random_engine(space)
    Golden(shared_dir / "parity").write(models_dir / "liveportrait")
    seal(models_dir / "liveportrait")
    homes = {"JAMDUB_HOME": tmp_path_factory.mktemp("home"), "JAMDUB_MODELS_DIR": models_dir, "JAMDUB_THREADS": 2}
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PREFECT_API_URL": prefect_api,
        "COLUMNS": "300",
        **{name: str(value) for name, value in homes.items()},
    }

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flows.cli", *map(str, arguments)]
        return subprocess.run(
            command, cwd=media, env=environment, capture_output=True, text=True, timeout=1200, check=False
        )

    return run


def test_a_dub_redraws_the_lips_and_says_what_it_left(jamdub: Jamdub, media: Path) -> None:
    spoken = ("--from", "en", "--to", "es", "--speakers", 1, "--script", "es.srt")
    done = jamdub("dub", "two.mp4", *spoken, "--engine", "jamflow", "--takes", 1, "--lips", "reanimate")
    assert done.returncode == 0, done.stderr
    receipt = Receipt.model_validate_json((media / "dubs" / "two.es.receipt.json").read_bytes())
    first, *_, last = receipt.lines
    assert first.mode == "reanimate" and (first.frames_rendered, first.frames_skipped) == (3, 0)
    assert not last.on_screen and UNSEEN in receipt.warnings and UNSEEN in done.stdout
    assert UNSEEN in (media / "dubs" / "two.es.report.html").read_text()
    measures = receipt.measures
    assert (measures.dub_frames, measures.dub_samples) == (measures.source_frames, measures.source_samples)
    assert measures.outside_mask_psnr_db is not None and measures.outside_mask_psnr_db > 40
    assert "liveportrait" in {model.name for model in receipt.models}


def test_a_film_is_given_new_lips(jamdub: Jamdub, media: Path) -> None:
    done = jamdub("lipsync", "one.mp4", "one.mp4", "--out", "o/l.mp4")
    assert done.returncode == 0, done.stderr
    receipt = PerformanceReceipt.model_validate_json((media / "o" / "l.receipt.json").read_bytes())
    assert (receipt.frames_rendered, receipt.frames_skipped, receipt.warnings) == (1, 0, ())
    assert frame_count(media / "o" / "l.mp4") == 1


def test_a_portrait_speaks(jamdub: Jamdub, media: Path, shared_dir: Path) -> None:
    portrait = shared_dir / "media" / "portrait" / "hallo3_0003.jpg"
    done = jamdub("animate", portrait, "blip.wav", "--out", "o/a.mp4")
    assert done.returncode == 0, done.stderr
    info = probe(media / "o" / "a.mp4", find_tools())
    assert info.video is not None and (info.video.width, info.video.height) == (480, 480)
    assert frame_count(media / "o" / "a.mp4") == 1
