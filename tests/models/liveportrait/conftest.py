"""Golden numbers of upstream's networks and geometry, and folders of released layout with seeded weights."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # with importlib, tests do not find their neighbours

from liveportrait_goldens import Golden


@pytest.fixture(scope="session")
def golden(shared_dir: Path) -> Iterator[Golden]:
    """All cases; where JAMDUB_PARITY_TABLE names a file, what was found is written there."""
    goldens = Golden(shared_dir / "parity")
    yield goldens
    goldens.write_table()


@pytest.fixture(scope="session")
def seeded(golden: Golden, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The released layout at full size; seeded weights mean nothing to a face."""
    return golden.write(tmp_path_factory.mktemp("liveportrait"))
