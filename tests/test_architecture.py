"""The packages are ours, and the inner ones do not know Prefect even at run time."""

import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

PACKAGES = ("flows", "tasks", "models", "storage", "media", "schemas")
INNER = ("schemas.dub", "media.tools", "models.motion", "storage.objects")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_owns_our_package(package: str) -> None:
    assert set(packages_distributions().get(package, ["jamdub"])) == {"jamdub"}


@pytest.mark.parametrize("module", INNER)
def test_inner_layers_do_not_load_prefect_or_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit(any(name in sys.modules for name in ('prefect', 'torch', 'mediapipe')))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_the_command_line_starts_without_loading_models() -> None:
    code = "import sys, flows.cli; sys.exit(any(name in sys.modules for name in ('prefect', 'torch', 'whisperx')))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
