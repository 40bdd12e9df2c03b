"""The command line sets variables for Prefect, which a test must not pass on; and the one sample that all dub."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.cli import main

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def run_jamdub(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run `jamdub` in this process: a program of its own loads its libraries for five seconds before it says a word."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = ["jamdub", *map(str, arguments)]
        monkeypatch.setattr("sys.argv", command)
        with pytest.raises(SystemExit) as stopped:
            main()
        code, said = stopped.value.code, capfd.readouterr()
        return subprocess.CompletedProcess(command, code if isinstance(code, int) else 0, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The astronaut, speaking."""
    path = tmp_path_factory.mktemp("sample") / "astronaut.mp4"
    maker = Path(__file__).resolve().parents[2] / "examples" / "make_sample.py"
    subprocess.run([sys.executable, maker, path], check=True, timeout=300)
    return path


@pytest.fixture(scope="session")
def spoken_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of two seconds that says good morning, with its scripts beside it."""
    path = tmp_path_factory.mktemp("clip") / "morning.mp4"
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-m", "examples.make_clip", path], check=True, timeout=300, cwd=root)
    return path
