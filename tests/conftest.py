"""Fixtures that every folder of tests shares."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from examples.topology.postgres import Postgres, fresh_database, postgres_program
from examples.topology.prefect import PrefectServer
from examples.topology.s3 import S3Server, weed_program

if TYPE_CHECKING:
    from schemas.motion import MotionSpace

Run = Callable[..., subprocess.CompletedProcess[str]]

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


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server: the one of JAMDUB_TEST_DATABASE_URL, or one that is started here."""
    ready = os.environ.get("JAMDUB_TEST_DATABASE_URL")
    if ready:
        yield ready
        return
    _need(postgres_program, "postgres")
    with reachable_folder() as folder, Postgres(folder / "server", settings=("fsync=off",)) as server:
        yield server.url


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A temporary folder that other users may enter, as PostgreSQL must, which does not run as root."""
    with tempfile.TemporaryDirectory(prefix="jamdub-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def reachable_path() -> Iterator[Path]:
    """A temporary folder that other users may enter."""
    with reachable_folder() as folder:
        yield folder


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database of this test's own."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A running S3 server with an empty bucket."""
    _need(weed_program)
    with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API of one Prefect server, for programs that would each start their own: that takes ten seconds a program."""
    folder = tmp_path_factory.mktemp("prefect")
    with PrefectServer(folder, database_url=f"sqlite:///{folder}/prefect.db") as server:
        yield server.url


def _need(find: Callable[..., Path], *arguments: str) -> None:
    """Skip the test where a program is absent, with the reason; in CI that is an error."""
    try:
        find(*arguments)
    except FileNotFoundError as absent:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(absent))


@pytest.fixture
def run_jamdub(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run `jamdub` in this process: a program of its own loads its libraries for five seconds before it says a word."""
    from flows.cli import main

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = ["jamdub", *map(str, arguments)]
        monkeypatch.setattr("sys.argv", command)
        with pytest.raises(SystemExit) as stopped:
            main()
        code, said = stopped.value.code, capfd.readouterr()
        status = 1 if isinstance(code, str) else code or 0  # as Python's own: a message is a failure
        return subprocess.CompletedProcess(command, status, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def make_random_engine(tmp_path_factory: pytest.TempPathFactory) -> Callable[["MotionSpace"], Path]:
    """Makes models folders with an engine `jamflow` of random numbers, which moves faces in the space that is asked.

    It makes noise, and moves it as a trained one would. Its two packaged voices are chords, low and high.
    """

    def make(space: "MotionSpace") -> Path:
        models_dir = tmp_path_factory.mktemp("models")
        write_random_engine(models_dir / "jamflow-tiny", space)
        return models_dir

    return make


@pytest.fixture(scope="session")
def random_engine(make_random_engine: Callable[["MotionSpace"], Path]) -> Path:
    """The one that moves the packaged face mesh."""
    from models.facemesh.space import space

    return make_random_engine(space())


def write_random_engine(folder: Path, space: "MotionSpace") -> None:
    """A sealed folder of random weights, small but whole."""
    import json

    import numpy as np
    import soundfile
    import torch
    from safetensors.torch import save_file
    from vocos import Vocos

    from models.corpus.phones import phone_vocabulary
    from models.jamflow.checkpoint import Description, save_checkpoint
    from models.jamflow.config import audio, joined, trunk
    from models.jamflow.joint import JamFlow
    from models.weights.folders import seal

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = JamFlow(joined(audio(trunk(32, 2, 2, 16), 16, 1, len(phone_vocabulary().entries)), space))
        about = Description(
            name="random", origin="random numbers", licence="CC BY 4.0", commercial_use=True, config={},
            motion_space=space, vocabulary_sha256="0" * 64,
        )  # fmt: skip
        save_checkpoint(folder, model, phone_vocabulary(), about)
        (folder / "vocoder").mkdir()
        (folder / "vocoder" / "config.yaml").write_text(SMALL_VOCOS)
        save_file(
            Vocos.from_hparams(str(folder / "vocoder" / "config.yaml")).state_dict(),
            folder / "vocoder" / "model.safetensors",
        )
    (folder / "voices").mkdir()
    listed = []
    for name, pitch_hz in (("low", 110.0), ("high", 220.0)):
        time_s = np.arange(3 * 24_000) / 24_000
        chord = sum(np.sin(2 * np.pi * pitch_hz * harmonic * time_s) / harmonic for harmonic in range(1, 12))
        soundfile.write(folder / "voices" / f"{name}.flac", 0.2 * chord / np.abs(chord).max(), 24_000)
        phones = [["_", 0.0, 0.2], ["m", 0.2, 1.5], ["ˈu", 1.5, 2.8], ["_", 2.8, 3.0]]
        listed.append({"name": name, "file": f"{name}.flac", "language": "en", "text": "moo", "phones": phones})
    (folder / "voices" / "voices.json").write_text(json.dumps(listed))
    seal(folder)


SMALL_VOCOS = """feature_extractor:
  class_path: vocos.feature_extractors.MelSpectrogramFeatures
  init_args: {sample_rate: 24000, n_fft: 1024, hop_length: 256, n_mels: 100, padding: center}
backbone:
  class_path: vocos.models.VocosBackbone
  init_args: {input_channels: 100, dim: 32, intermediate_dim: 48, num_layers: 2}
head:
  class_path: vocos.heads.ISTFTHead
  init_args: {dim: 32, n_fft: 1024, hop_length: 256, padding: center}
"""
