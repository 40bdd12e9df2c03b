"""The command line sets variables for Prefect, which a test must not pass on; and the one sample that all dub."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all processes of this run of the tests share."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


def made_once(path: Path, *command: object) -> Path:
    """Make a file, which takes a minute, in the first process that needs it; the others wait for it."""
    path.parent.mkdir(exist_ok=True)
    with FileLock(f"{path.parent}.lock"):
        if not path.is_file():
            subprocess.run([sys.executable, *map(str, command), path], check=True, timeout=300, cwd=ROOT)
    return path


@pytest.fixture(scope="session")
def sample(run_folder: Path) -> Path:
    """The astronaut, speaking."""
    return made_once(run_folder / "sample" / "astronaut.mp4", "examples/make_sample.py")


@pytest.fixture(scope="session")
def spoken_clip(run_folder: Path) -> Path:
    """A clip of two seconds that says good morning, with its scripts beside it."""
    return made_once(run_folder / "clip" / "morning.mp4", "-m", "examples.make_clip")
