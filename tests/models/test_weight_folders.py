"""A folder of weights is sealed by its hashes, and found in the models folder before the repository."""

from pathlib import Path

import pytest

from models.weights import resolve as resolving
from models.weights.folders import SUMS, checked, seal, size_bytes
from models.weights.resolve import check_licence, jamflow
from schemas.errors import WeightsError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "w" / "voices").mkdir(parents=True)
    (tmp_path / "w" / "model.bin").write_bytes(b"weights")
    (tmp_path / "w" / "voices" / "a b.flac").write_bytes(b"sound")
    return tmp_path / "w"


def test_a_sealed_folder_is_whole_until_a_byte_changes(folder: Path) -> None:
    sealed = seal(folder)
    assert checked(folder) == sealed == seal(folder) and size_bytes(folder) == 12
    (folder / "voices" / "a b.flac").write_bytes(b"Sound")
    with pytest.raises(WeightsError, match=r"a b\.flac was altered"):
        checked(folder)
    (folder / "voices" / "a b.flac").unlink()
    with pytest.raises(WeightsError, match=r"a b\.flac is missing"):
        checked(folder)


def test_other_content_has_another_hash(folder: Path) -> None:
    before = seal(folder)
    (folder / "model.bin").write_bytes(b"retrained")
    assert seal(folder) != before


@pytest.mark.parametrize("content", ["", "what\n", f"{'0' * 64}  ../outside\n", f"{'0' * 64}  /etc/passwd\n"])
def test_a_list_that_is_damaged_or_leaves_the_folder_is_refused(folder: Path, content: str) -> None:
    (folder / SUMS).write_text(content)
    with pytest.raises(WeightsError, match=f"{SUMS} is damaged"):
        checked(folder)


def test_an_unsealed_folder_says_how_to_seal_it(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="jamdub models seal"):
        checked(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(WeightsError, match="holds no files"):
        seal(tmp_path / "empty")


def test_the_models_folder_comes_before_the_repository(
    random_engine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolving, "REPOSITORY_WEIGHTS", tmp_path)
    found = jamflow(random_engine)
    assert found.path == random_engine / "jamflow-tiny" and found.ref.source == "directory"
    assert found.ref.name == "jamflow-tiny" and found.ref.licence == "CC BY 4.0"
    check_licence(found.ref, commercial=True)
    with pytest.raises(WeightsError, match=r"git checkout -- weights/jamflow-tiny.*JAMDUB_MODELS_DIR"):
        jamflow(None)
    monkeypatch.setattr(resolving, "REPOSITORY_WEIGHTS", random_engine)
    assert jamflow(None).ref.source == "repository" and jamflow(None).ref.sha256 == found.ref.sha256
