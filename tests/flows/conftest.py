"""The command line sets variables for Prefect, which a test must not pass on; and the one sample that all dub."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The astronaut, speaking."""
    path = tmp_path_factory.mktemp("sample") / "astronaut.mp4"
    maker = Path(__file__).resolve().parents[2] / "examples" / "make_sample.py"
    subprocess.run([sys.executable, maker, path], check=True, timeout=300)
    return path
