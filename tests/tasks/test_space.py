"""A dub that will not fit is refused before it begins; one that runs out of disk says so, and goes on later."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.probe import probe
from media.tools import find_tools, input_name, run_ffmpeg
from schemas.dub import DubRequest
from schemas.errors import StorageError
from schemas.media import AudioStream, MediaInfo, VideoStream
from tasks.space import SpaceNeeded, check_space, space_needed
from tasks.workplace import Workplace, open_workplace

ROOT = Path(__file__).resolve().parents[2]
MB = 1_000_000


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    picture, sound = (
        "testsrc2=size=96x64:rate=25:duration=20",
        "sine=sample_rate=48000:duration=20,pan=stereo|c0=c0|c1=c0",
    )
    coders = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    run_ffmpeg(find_tools(), ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, *coders, input_name(path)])
    return path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.setenv("JAMDUB_HOME", str(tmp_path / "home"))
    return open_workplace()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "jamdub-test", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no disk of our own may be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def request_of(video: Path, out: Path | str, lips: str = "keep") -> DubRequest:
    return DubRequest(video=str(video), target_language="es", output_dir=str(out), lips=lips)  # type: ignore[arg-type]


def described(duration_s: float, size: int, rate_hz: int, channels: int) -> tuple[MediaInfo, AudioStream]:
    video = VideoStream(
        index=0, codec="h264", width=size, height=size, frame_rate_hz=25, is_variable_rate=False,
        pixel_format="yuv420p", rotation_deg=0, sample_aspect_ratio="1:1", colour_primaries=None, colour_transfer=None,
        colour_matrix=None, colour_range=None, start_s=0,
    )  # fmt: skip
    audio = AudioStream(
        index=1, codec="aac", sample_rate_hz=rate_hz, channels=channels, channel_layout="stereo", language=None,
        title=None, is_default=True, start_s=0,
    )  # fmt: skip
    return MediaInfo(container="mp4", duration_s=duration_s, size_bytes=761_184, video=video, audio=(audio,)), audio


def test_the_sample_is_estimated_as_it_was_measured(place: Workplace) -> None:
    place.settings.cache_dir.mkdir(parents=True)
    info, audio = described(13.0, 480, 48_000, 2)
    needed = space_needed(request_of(Path("v.mp4"), "out", "reanimate"), info, audio, place)
    assert needed.kept == pytest.approx(41_067_359, rel=0.1)
    assert needed.output == pytest.approx(1_326_882 + 3_898_493, rel=0.8)


@given(st.floats(0.1, 1e4), st.integers(16, 4096), st.integers(8000, 192_000), st.integers(1, 16))
def test_more_of_anything_needs_no_less(duration_s: float, size: int, rate_hz: int, channels: int) -> None:
    place = open_workplace()
    request = request_of(Path("v.mp4"), "out", "reanimate")
    least = space_needed(request, *described(duration_s, size, rate_hz, channels), place)
    for more in ((2, 1, 1, 1), (1, 2, 1, 1), (1, 1, 2, 1), (1, 1, 1, 2)):
        grown = described(duration_s * more[0], size * more[1], rate_hz * more[2], channels * more[3])
        needed = space_needed(request, *grown, place)
        assert needed.kept >= least.kept and needed.working >= least.working and needed.output > 0


def test_a_small_home_is_refused_with_both_numbers(
    clip: Path, small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAMDUB_HOME", str(small_disk / "home"))
    place = open_workplace()
    info = probe(clip, place.tools)
    request = request_of(clip, tmp_path / "out")
    with pytest.raises(StorageError, match=r"has \d+ MB left.*needs about \d+ MB.*JAMDUB_HOME"):
        check_space(request, space_needed(request, info, info.audio[0], place), place)


def test_a_small_output_folder_is_refused(clip: Path, small_disk: Path, place: Workplace) -> None:
    request = request_of(clip, small_disk / "new" / "out")
    check_space(request, SpaceNeeded(kept=MB, working=MB, output=MB), place)
    with pytest.raises(StorageError, match=rf"{small_disk} has .*--out"):
        check_space(request, SpaceNeeded(kept=MB, working=MB, output=20 * MB), place)
    check_space(request_of(clip, "s3://bucket/out"), SpaceNeeded(kept=MB, working=MB, output=10**15), place)


def test_both_on_one_disk_share_it(clip: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAMDUB_HOME", str(small_disk / "home"))
    place, request = open_workplace(), request_of(clip, small_disk / "out")
    check_space(request, SpaceNeeded(kept=4 * MB, working=4 * MB, output=4 * MB), place)
    with pytest.raises(StorageError, match="needs about 18 MB"):
        check_space(request, SpaceNeeded(kept=6 * MB, working=6 * MB, output=6 * MB), place)


def test_a_video_that_was_begun_needs_only_what_it_works_with(
    clip: Path, small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAMDUB_HOME", str(small_disk / "home"))
    place, request = open_workplace(), request_of(clip, tmp_path / "out")
    needed = SpaceNeeded(kept=30 * MB, working=MB, output=MB)
    with pytest.raises(StorageError):
        check_space(request, needed, place)
    place.store.put_file(clip, "video/mp4")
    check_space(request, needed, place)


FULL = """
import sys
from pathlib import Path
from prefect import flow
from flows.embedded import embedded_environment, open_home
from media.probe import probe
from schemas.errors import StorageError
from tasks.ingest import extract_audio
from tasks.separate import separate
from tasks.stage import collect_stage_times
from tasks.workplace import open_workplace

@flow
def apart(path: str) -> None:
    place = open_workplace()
    info = probe(Path(path), place.tools)
    ref = place.store.put_file(Path(path), "video/mp4")
    with collect_stage_times() as times:
        try:
            separate(extract_audio(ref, info.audio[0]), "stereo")
        finally:
            print("ran", times.ran, "cached", times.cached)

try:
    apart(sys.argv[1])
except StorageError as error:
    print("told", error)
    sys.exit(1)
"""


@pytest.mark.slow
def test_a_disk_that_fills_midway_loses_nothing(clip: Path, small_disk: Path, prefect_api: str, tmp_path: Path) -> None:
    """16 MB hold the sound of 20 s (7.7 MB) but not its two stems."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JAMDUB_HOME": str(small_disk / "home"),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_LOCAL_STORAGE_PATH": str(tmp_path / "results"),
        "PREFECT_API_URL": prefect_api,
    }

    def run() -> tuple[int, str]:
        command = [sys.executable, "-c", FULL, str(clip)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280, check=False)
        return done.returncode, done.stdout

    code, said = run()
    assert code == 1 and "ran ['ingest']" in said, said
    assert len(re.findall(r"^told .*no space left in .*free some", said, re.MULTILINE)) == 1
    assert not list((small_disk / "home").rglob("*.part")) and not list((small_disk / "home" / "scratch").iterdir())
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    code, said = run()
    assert code == 0 and "ran ['separate'] cached 1" in said, said
