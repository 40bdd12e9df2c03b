"""The main path, end to end, on a sample made here: dub, repeat, edit one line, die and go on."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from media.compare import frame_count, video_packet_hash
from media.probe import probe
from media.tools import find_tools
from schemas.dub import Receipt

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "astronaut_es.srt"

Dub = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "flows.cli", "dub", *map(str, arguments)]


def run_dub(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), env={**os.environ, **environment, "COLUMNS": "300"}, capture_output=True, text=True,
        timeout=500, check=False, cwd=ROOT,
    )  # fmt: skip


@pytest.fixture(scope="module")
def dub(home: Path) -> Dub:
    """Run `jamdub dub` with a server of its own, as a user does."""
    return partial(run_dub, {"JAMDUB_HOME": str(home)})


@pytest.fixture(scope="module")
def dub_again(home: Path, prefect_api: str) -> Dub:
    """The same in the same home with the tests' server: starting another takes longer than what is cached."""
    return partial(run_dub, {"JAMDUB_HOME": str(home), "PREFECT_API_URL": prefect_api})


def receipt_in(folder: Path) -> Receipt:
    return Receipt.model_validate_json(next(folder.glob("*.receipt.json")).read_bytes())


def tasks_of(output: str) -> tuple[int, int]:
    ran, cached = re.search(r"tasks\s+(\d+) run, (\d+) from cache", output).groups()  # type: ignore[union-attr]
    return int(ran), int(cached)


@pytest.fixture(scope="module")
def request_arguments(sample: Path) -> tuple[object, ...]:
    return (sample, "--from", "en", "--to", "es", "--lips", "reanimate", "--speakers", 1)


@pytest.fixture(scope="module")
def first(dub: Dub, request_arguments: tuple[object, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first dub, from which everything below goes on."""
    out = tmp_path_factory.mktemp("out")
    done = dub(*request_arguments, "--script", SCRIPT, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


def test_the_dub_has_the_length_the_words_and_the_timing(first: Path, sample: Path) -> None:
    receipt = receipt_in(first)
    measures = receipt.measures
    assert measures.dub_samples == measures.source_samples
    assert measures.dub_frames == measures.source_frames == frame_count(sample)
    assert measures.null_test_db <= -60
    assert measures.wer is not None and measures.wer <= 0.25
    assert measures.onset_error_p95_s is not None and measures.onset_error_p95_s <= 0.2
    assert measures.integrated_lufs == pytest.approx(-16, abs=1)
    assert all(line.status == "dubbed" for line in receipt.lines)


def test_the_lips_move_as_asked_and_nothing_else_does(first: Path) -> None:
    receipt = receipt_in(first)
    on_screen = [line for line in receipt.lines if line.on_screen]
    assert on_screen
    assert np.mean([line.aperture_r for line in on_screen if line.aperture_r is not None]) > 0.6
    assert receipt.measures.outside_mask_psnr_db is not None and receipt.measures.outside_mask_psnr_db > 38


def test_tracks_are_tagged_and_the_original_is_kept(first: Path) -> None:
    audio = probe(first / "astronaut.es.mp4", find_tools()).audio
    assert [stream.is_default for stream in audio] == [True, False]
    assert audio[0].language in {"es", "spa"}


def test_the_report_is_whole_and_marks_the_dub_as_synthetic(first: Path) -> None:
    page = (first / "astronaut.es.report.html").read_text()
    assert "synthetic" in page.lower()
    assert all(line.id in page for line in receipt_in(first).lines)


def test_the_same_request_again_runs_nothing_and_changes_nothing(
    first: Path, dub_again: Dub, request_arguments: tuple[object, ...]
) -> None:
    before = {path.name: path.read_bytes() for path in first.iterdir()}
    done = dub_again(*request_arguments, "--script", SCRIPT, "--out", first)
    assert done.returncode == 0, done.stderr
    assert tasks_of(done.stdout)[0] == 0
    assert {path.name: path.read_bytes() for path in first.iterdir()} == before


@pytest.mark.usefixtures("first")
def test_a_delivery_cut_short_is_completed_by_the_next_run(
    dub_again: Dub, request_arguments: tuple[object, ...], tmp_path: Path
) -> None:
    (tmp_path / "astronaut.es.srt").mkdir()  # the subtitles cannot be written
    failed = dub_again(*request_arguments, "--script", SCRIPT, "--out", tmp_path, "--overwrite")
    assert failed.returncode == 1, failed.stderr
    assert "nothing is lost" in failed.stderr
    (tmp_path / "astronaut.es.srt").rmdir()
    done = dub_again(*request_arguments, "--script", SCRIPT, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.iterdir())) == 5


def test_an_edited_line_recomputes_that_line_only(
    first: Path, dub_again: Dub, request_arguments: tuple[object, ...], tmp_path: Path
) -> None:
    lines = receipt_in(first).lines
    edited = tmp_path / "edited.srt"
    edited.write_text(SCRIPT.read_text().replace(str(lines[-1].target_text), "Y nunca dejamos de mirar arriba."))
    assert edited.read_text() != SCRIPT.read_text()
    done = dub_again(*request_arguments, "--script", edited, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    again = json.loads(next((tmp_path / "out").glob("*.receipt.json")).read_text())
    assert set(again["stage_wall_s"]) == {"script", "speak", "render", "mix", "remux", "verify", "sheet"}
    assert tasks_of(done.stdout)[0] <= 8


@dataclass(frozen=True)
class Resumed:
    """A run that was killed, and run again into a folder; `stored`: lines that the first one had spoken."""

    folder: Path
    stored: int
    tasks_run: int
    servers_left: list[str]


@pytest.fixture(scope="module")
def resumed(first: Path, dub: Dub, sample: Path, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Resumed:
    """Lips kept; another seed makes every line new; the process is killed once the first of them is stored."""
    assert first.is_dir()
    out = tmp_path_factory.mktemp("resumed")
    arguments = (sample, "--from", "en", "--to", "es", "--speakers", 1, "--script", SCRIPT, "--seed", 7, "--out", out)
    before = speak_results(home)
    running = subprocess.Popen(
        command(*arguments),
        env={**os.environ, "JAMDUB_HOME": str(home)},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 240
    while speak_results(home) == before and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait(30)
    stored = len(speak_results(home) - before)
    assert not list(out.glob("astronaut*"))
    done = dub(*arguments)
    assert done.returncode == 0, done.stderr
    return Resumed(out, stored, tasks_of(done.stdout)[0], servers_of(home))


def test_a_run_killed_while_speaking_loses_no_finished_line(resumed: Resumed) -> None:
    assert resumed.stored >= 1
    assert not resumed.servers_left, "the killed run's server was left behind"
    lines = len(receipt_in(resumed.folder).lines)
    assert resumed.tasks_run <= lines - resumed.stored + 3  # the lines that were missing, mix, remux, verify


def test_lips_kept_leave_every_picture_packet_as_it_was(resumed: Resumed, sample: Path) -> None:
    tools = find_tools()
    assert video_packet_hash(resumed.folder / "astronaut.es.mp4", tools) == video_packet_hash(sample, tools)
    assert receipt_in(resumed.folder).measures.video_packets_equal is True


def servers_of(home: Path) -> list[str]:
    mark = f"PREFECT_HOME={home.absolute() / 'prefect'}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (folder / "environ").read_bytes() and b"uvicorn" in (folder / "cmdline").read_bytes():
                found.append(folder.name)
    return found


def speak_results(home: Path) -> set[str]:
    return {path.name for path in (home / "results").glob("speak-*")}
