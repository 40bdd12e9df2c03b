"""Fixtures that every folder of tests shares."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A machine at work is slow for a moment now and then: time is no property of the code.
settings.register_profile("jamdub", deadline=None)
settings.load_profile("jamdub")


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The development media folder; tests that need it are skipped, with the reason, where it is absent."""
    named = os.environ.get("JAMDUB_SHARED")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "media" / "manifest.csv").is_file():
        pytest.skip(f"no development media at {folder}: set JAMDUB_SHARED to their folder")
    return folder
