"""The README names every setting and every command-line option's stage; a setting nobody can find is not there."""

import re
from pathlib import Path

import pytest

from schemas.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_readme(name: str) -> None:
    assert f"JAMDUB_{name.upper()}" in README


@pytest.mark.parametrize(
    "folder", ["flows", "tasks", "models", "media", "storage", "schemas", "examples", "benchmarks"]
)
def test_every_folder_has_a_caption(folder: str) -> None:
    assert f"\n{folder}/" in README or f" {folder}/" in README


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)", (ROOT / page).read_text())
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not ((ROOT / page).parent / target).exists()] == []
