"""The README names every setting and every command-line option's stage; a setting nobody can find is not there."""

from pathlib import Path

import pytest

from schemas.settings import Settings

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_readme(name: str) -> None:
    assert f"JAMDUB_{name.upper()}" in README


@pytest.mark.parametrize(
    "folder", ["flows", "tasks", "models", "media", "storage", "schemas", "examples", "benchmarks"]
)
def test_every_folder_has_a_caption(folder: str) -> None:
    assert f"\n{folder}/" in README or f" {folder}/" in README
