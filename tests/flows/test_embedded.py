"""What the embedded Prefect needs before it is asked for anything."""

from pathlib import Path

import pytest

from flows.embedded import open_home


def test_a_home_is_there_before_prefect_looks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "new" / "prefect"
    monkeypatch.setenv("PREFECT_HOME", str(home))
    open_home()
    open_home()
    assert home.is_dir()
