"""`jamdub train` as a user meets it: plan, training, killed and started again, several processes, export."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "models" / "corpus"))  # tests do not find their neighbours

from small_clips import write_features

from models.facemesh.space import space
from models.jamflow.checkpoint import load_checkpoint
from models.timing.durations import load_durations
from models.timing.mouth import load_mouth_timing
from models.training.checkpoints import read_checkpoint
from models.weights.folders import checked
from tasks.train_config import read_training
from tasks.train_export import export_joint

COURSE = """
warmup = 1
learning_rate = 1e-3
frames = 400
ema_decay = 0.9
"""
SIZE = """
[size]
name = "tiny"
dropout = 0.0
"""
PLACING = "paired = 0.2\neven = 0.2\ntrue = 0.4\nspread = 0.2\n"
CARD = '[export]\nname = "tried"\nlicence = "CC0-1.0"\ncommercial_use = true\norigin = "chance"\n'
MOTION = f"[motion]\nsteps = 2{COURSE}"
TIMING = "[timing]\nduration_epochs = 1\nmouth_steps = 2\n"
NAMES = ("loss", "step")

Train = Callable[..., subprocess.CompletedProcess[str]]


def joint(steps: int) -> str:
    return (
        f"[joint]\nsteps = {steps}\nsound_frames = 400\nface_share = 0.5{COURSE}"
        f"[joint.face_placing]\n{PLACING}[joint.sound_placing]\n{PLACING}"
    )


def synthesis(voice: str, language: str) -> str:
    return (
        '[synthesis]\nfolder = "k"\nhours = 1\nseed = 0\n'
        f'voices = {{ a = {{ {voice} = 1.0 }} }}\nsentences = {{ {language} = "none.txt" }}\n'
    )


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_features(tmp_path_factory.mktemp("training") / "features", faces=4, sounds=4)


def training(folder: Path, features: Path, *stages: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "training.toml"
    path.write_text(
        f'out = "out"\nprecision = "float32"\ncheckpoint_every_s = 0.001\nkeep = 99\n{SIZE}'
        f'[features]\nfolder = "{features}"\nlongest_frames = 200\n{"".join(stages)}'
    )
    return path


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "JAMDUB_HOME": str(home), "OMP_NUM_THREADS": "1", "COLUMNS": "120"}


def jamdub(config: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flows.cli", "train", "--config", str(config), *args]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=280, check=False, env=environment(config.parent / "home")
    )


@pytest.fixture
def run_train(run_jamdub: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Train:
    """Run `jamdub train` in this process."""
    monkeypatch.setenv("JAMDUB_HOME", str(tmp_path / "home"))
    return partial(run_jamdub, "train", "--config")


@pytest.fixture
def shared_server(prefect_api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of this test use one Prefect server."""
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)


def losses(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if any(part in name for part in NAMES)} for line in lines]


def test_a_dry_run_says_what_would_be_done_and_does_nothing(features: Path, tmp_path: Path) -> None:
    told = jamdub(training(tmp_path, features, MOTION, joint(4), TIMING, CARD), "--dry-run")
    assert told.returncode == 0, told.stderr
    facts = (
        "8 prepared", "4 with a face", "4 of sound", "2 steps of 400 frames", "4 steps of 400 frames",
        "16.5 M parameters", "1 epochs of durations", "CC0-1.0, for commercial use", "float32 on",
    )  # fmt: skip
    assert [fact for fact in facts if fact not in told.stderr] == [], told.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"training.toml"}


REFUSED = {
    "no index": ('[[features.corpora]]\nindex = "none.jsonl"\n', "none.jsonl cannot be read"),
    "no sentences": (synthesis("jm_kumo", "en"), "none.txt cannot be read"),
    "no such voice": (synthesis("bob", "en"), "voice a has 'bob': Kokoro's packaged ones are jm_kumo"),
    "no such language": (synthesis("jm_kumo", "xx"), "do not speak 'xx'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_fail_later_is_told_at_once(run_train: Train, case: str, features: Path, tmp_path: Path) -> None:
    table, expected = REFUSED[case]
    assert_refused(run_train(training(tmp_path, features, table, joint(4))), 2, expected)
    assert not (tmp_path / "out").exists() and not (tmp_path / "k").exists()


def test_weights_to_begin_with_that_are_none_are_told_at_once(run_train: Train, features: Path, tmp_path: Path) -> None:
    config = training(tmp_path, features, joint(4).replace("[joint]\n", f'[joint]\nstart = "{tmp_path}"\n'))
    config.write_text(config.read_text().replace(SIZE, ""))
    assert_refused(run_train(config), 1, "is no checkpoint (it has no config.json)")


def test_timing_to_take_over_that_is_none_is_told_at_once(run_train: Train, features: Path, tmp_path: Path) -> None:
    card = f'{CARD}timing = "{tmp_path / "none"}"\n'
    assert_refused(run_train(training(tmp_path, features, joint(4), card)), 1, "durations.safetensors does not exist")


@pytest.mark.parametrize(
    "table",
    [
        '[synthesis]\nfolder = "k"\nhours = 1\nseed = 0\nvoices.a = { jm_kumo = 1.0 }\nsentences.en = "/etc/passwd"\n',
        '[[features.corpora]]\nindex = "../corpus.jsonl"\n',
        f'{CARD}vocoder = "/etc"\n',
    ],
)
def test_what_a_training_names_is_held_to_the_root(
    run_train: Train, table: str, features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    shutil.copytree(features, root / "features")
    config = training(root, root / "features", table, joint(4))
    monkeypatch.setenv("JAMDUB_FILES_ROOT", str(root))
    assert_refused(run_train(config), 2, f"is outside of {root}, the only folder that is opened here")


def test_a_file_that_is_not_there_is_told_at_once(run_train: Train, tmp_path: Path) -> None:
    assert_refused(run_train(tmp_path / "none.toml"), 2, "none.toml cannot be read")


def assert_refused(told: subprocess.CompletedProcess[str], code: int, expected: str) -> None:
    assert told.returncode == code and expected in told.stderr, told.stderr
    assert told.stderr.strip().count("\n") == 0 and told.stderr.startswith("jamdub: ")


@pytest.mark.slow
@pytest.mark.usefixtures("shared_server")
def test_all_stages_end_in_one_sealed_folder(features: Path, tmp_path: Path) -> None:
    config, out = training(tmp_path, features, TIMING, MOTION, joint(3), CARD), tmp_path / "out"
    told = jamdub(config)
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() == str(out / "export")
    assert "joint step 3/3: " in told.stderr and " left" in told.stderr
    assert [line["step"] for line in losses(out / "joint")] == [1, 2, 3] and len(losses(out / "motion")) == 2
    assert (out / "joint" / "curves.png").is_file()
    checked(out / "export")
    loaded = load_checkpoint(out / "export", space())
    assert loaded.description.name == "tried" and loaded.description.commercial_use
    averages, weights = read_checkpoint(out / "joint" / "step-0000003.pt").state["ema"], loaded.model.state_dict()
    for name in ("motion.inputs.weight", "audio.trunk.blocks.3.qkv.weight"):
        assert torch.equal(weights[name], averages[name].half().float())
    assert len(load_durations(out / "export" / "timing" / "durations.safetensors")(["p", "a"])) == 2
    load_mouth_timing(out / "export" / "timing" / "mouth")

    card = f'{CARD}timing = "{out / "timing"}"\n'
    taken_over = read_training(training(tmp_path, features, MOTION, joint(3), card))
    export_joint.fn(taken_over, None, None)
    assert (out / "export" / "timing" / "durations.safetensors").is_file(), "timing that is there already is taken over"

    before = checked(out / "export")
    again = jamdub(training(tmp_path, features, TIMING, MOTION, joint(3), CARD))
    assert again.returncode == 0 and len(losses(out / "joint")) == 3, again.stderr
    assert checked(out / "export") == before, "nothing was left to do"
    other = jamdub(training(tmp_path, features, TIMING, MOTION, joint(4), CARD))
    assert other.returncode == 2 and "was begun with course.steps = 3, and now it is 4" in other.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("shared_server")
def test_a_killed_training_goes_on_to_the_same_end(features: Path, tmp_path: Path) -> None:
    whole, cut = (training(tmp_path / name, features, joint(6)) for name in ("whole", "cut"))
    told = jamdub(whole)
    assert told.returncode == 0, told.stderr
    command = [sys.executable, "-m", "flows.cli", "train", "--config", str(cut)]
    program = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment(cut.parent / "home"))
    folder, ends_s = cut.parent / "out" / "joint", time.monotonic() + 240
    while not list(folder.glob("step-*2.pt")) and time.monotonic() < ends_s and program.poll() is None:
        time.sleep(0.02)
    program.send_signal(signal.SIGKILL)
    program.wait()
    assert list(folder.glob("step-*.pt")) and not (folder / "step-0000006.pt").exists()
    told = jamdub(cut)
    assert told.returncode == 0, told.stderr
    assert losses(folder) == losses(whole.parent / "out" / "joint")


@pytest.mark.slow
@pytest.mark.usefixtures("shared_server")
def test_two_processes_share_the_stages(features: Path, tmp_path: Path) -> None:
    config = training(tmp_path, features, MOTION, joint(3), CARD)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", port,
        "-m", "flows.train", "--config", str(config),
    ]  # fmt: skip
    told = subprocess.run(
        command, capture_output=True, text=True, timeout=290, check=False, env=environment(tmp_path / "home")
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() == str(tmp_path / "out" / "export")
    assert [line["step"] for line in losses(tmp_path / "out" / "joint")] == [1, 2, 3]
    assert [line["step"] for line in losses(tmp_path / "out" / "motion")] == [1, 2]
    checked(tmp_path / "out" / "export")
