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


TABLE = README.partition("## Settings")[2].partition("\n## ")[0]


def test_the_settings_table_names_every_setting_and_no_other() -> None:
    rows = [line.split("|")[1] for line in TABLE.splitlines() if line.startswith("| `JAMDUB_")]
    named = [name.lower() for row in rows for name in re.findall(r"JAMDUB_([A-Z0-9_]+)", row)]
    assert sorted(named) == sorted(Settings.model_fields)


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("threads", "2", 2), ("max_duration_s", "4 h", 4 * 3600), ("max_upload_bytes", "20 GB", 20 * 10**9),
        ("max_pixels", "4096 × 2304", 4096 * 2304), ("max_frame_rate_hz", "240", 240), ("max_streams", "64", 64),
        ("max_channels", "16", 16), ("tool_timeout_s", "3600", 3600), ("tool_memory_bytes", "8 GB", 8 * 10**9),
        ("cache_max_bytes", "20 GB", 20 * 10**9), ("s3_region", "us-east-1", "us-east-1"),
    ],
)  # fmt: skip
def test_the_settings_table_tells_the_defaults(name: str, written: str, value: object) -> None:
    row = next(line for line in TABLE.splitlines() if f"`JAMDUB_{name.upper()}`" in line)
    assert written in row.split("|")[3]
    assert value == Settings.model_fields[name].default


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
