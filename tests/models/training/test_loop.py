"""Resumed equals uninterrupted, whatever interrupts; files appear whole; errors leave what was saved."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))  # with importlib, tests do not find their neighbours

from small_training import STEPS, SmallTrainee, ignore

from models.training.checkpoints import newest_checkpoint, read_checkpoint
from models.training.loop import Progress, train
from schemas.errors import RequestError, WeightsError

PROGRAM = Path(__file__).with_name("small_training.py")
TIMES = {"seconds", "cpu_seconds", "frames_per_s"}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    train(SmallTrainee(), folder, steps=STEPS, on_progress=ignore)
    return folder


def metrics(folder: Path) -> list[dict[str, float]]:
    """All that does not depend on the clock."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in TIMES} for line in lines]


def flat(state: Any, at: str = "") -> dict[str, Any]:
    if isinstance(state, (dict, list)):
        items = state.items() if isinstance(state, dict) else enumerate(state)
        return {name: leaf for key, part in items for name, leaf in flat(part, f"{at}/{key}").items()}
    return {at: state}


def assert_same_training(one: Path, other: Path) -> None:
    """Every metric, weight, moment and average, bit for bit."""
    assert metrics(one) == metrics(other)
    first, second = newest_checkpoint(one), newest_checkpoint(other)
    assert first is not None and second is not None and first.step == second.step
    states = flat(first.state), flat(second.state)
    assert states[0].keys() == states[1].keys() and len(states[0]) > 20
    for name, value in states[0].items():
        same = torch.equal(value, states[1][name]) if isinstance(value, torch.Tensor) else value == states[1][name]
        assert same, name


class Interrupted(Exception):
    pass


def interrupt_after(step: int, act: Callable[[], None]) -> Callable[[Progress], None]:
    def on_progress(progress: Progress) -> None:
        if progress.step == step:
            act()

    return on_progress


def fail() -> None:
    raise Interrupted


def test_the_small_training_learns(whole: Path) -> None:
    losses = [line["loss"] for line in metrics(whole)]
    assert len(losses) == STEPS and len(set(losses)) == STEPS


@settings(max_examples=25)
@given(stops=st.lists(st.integers(1, STEPS - 1), max_size=3), every_s=st.sampled_from([0.0, 1e9]))
def test_resumed_equals_uninterrupted(
    tmp_path_factory: pytest.TempPathFactory, whole: Path, stops: list[int], every_s: float
) -> None:
    """A run that ends by an error loses what came after its last checkpoint, and does it again."""
    folder = tmp_path_factory.mktemp("interrupted")
    for stop in sorted(stops):
        newest = newest_checkpoint(folder)
        if newest is None or newest.step < stop:
            with pytest.raises(Interrupted):
                on_progress = interrupt_after(stop, fail)
                train(SmallTrainee(), folder, steps=STEPS, checkpoint_every_s=every_s, on_progress=on_progress)
    train(SmallTrainee(), folder, steps=STEPS, on_progress=ignore)
    assert_same_training(whole, folder)


def started(folder: Path, steps: int, every_s: float, **environment: str) -> subprocess.Popen[bytes]:
    root = str(PROGRAM.parents[3])
    command = [sys.executable, str(PROGRAM), str(folder), str(steps), str(every_s)]
    return subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": root, **environment}, stderr=subprocess.PIPE, start_new_session=True
    )


def wait_for(condition: Callable[[], bool], program: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert program.poll() is None and time.monotonic() < until
        time.sleep(0.01)


def lines_in(folder: Path) -> int:
    path = folder / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def test_resumed_equals_uninterrupted_after_kill_9(tmp_path: Path, whole: Path) -> None:
    for lines in (12, 25):
        program = started(tmp_path, STEPS, 0.1)
        wait_for(lambda wanted=lines: lines_in(tmp_path) >= wanted, program)
        program.send_signal(signal.SIGKILL)
        assert program.wait(30) == -signal.SIGKILL
    killed_at = lines_in(tmp_path)
    newest = newest_checkpoint(tmp_path)
    assert newest is not None and 0 < newest.step <= killed_at < STEPS
    (tmp_path / "metrics.jsonl").open("a").write('{"step": 39, "lo')  # a line torn by the kill
    program = started(tmp_path, STEPS, 0.1)
    assert program.wait(60) == 0
    assert_same_training(whole, tmp_path)


def test_sigterm_writes_a_checkpoint_and_ends_as_an_interrupt(tmp_path: Path, whole: Path) -> None:
    program = started(tmp_path, STEPS, 1e9)
    wait_for(lambda: lines_in(tmp_path) >= 5, program)
    program.send_signal(signal.SIGTERM)
    _, told = program.communicate(timeout=30)
    assert b"KeyboardInterrupt: stopped after step" in told
    newest = newest_checkpoint(tmp_path)
    assert newest is not None and newest.step == lines_in(tmp_path) < STEPS
    train(SmallTrainee(), tmp_path, steps=STEPS, on_progress=ignore)
    assert_same_training(whole, tmp_path)


@pytest.fixture
def own_handlers() -> Iterator[list[str]]:
    """Handlers that were there before the training, and what they heard."""
    heard: list[str] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, lambda received, _frame: heard.append(signal.Signals(received).name))
    yield heard
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_former_handlers_are_put_back_and_hear_the_second_signal(
    tmp_path: Path, own_handlers: list[str], number: signal.Signals
) -> None:
    def twice() -> None:
        signal.raise_signal(number)
        assert own_handlers == []
        signal.raise_signal(number)

    former = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt, match="stopped after step 3 of 40; start again"):
        train(SmallTrainee(), tmp_path, steps=STEPS, on_progress=interrupt_after(3, twice))
    assert own_handlers == [number.name] and signal.getsignal(number) is former
    train(SmallTrainee(), tmp_path, steps=4, on_progress=ignore)
    assert signal.getsignal(number) is former


def test_it_runs_in_a_thread_too(tmp_path: Path, whole: Path) -> None:
    options: dict[str, Any] = {"steps": STEPS, "on_progress": ignore}
    thread = threading.Thread(target=train, args=(SmallTrainee(), tmp_path), kwargs=options)
    thread.start()
    thread.join(60)
    assert_same_training(whole, tmp_path)


def test_the_newest_checkpoints_stay(tmp_path: Path) -> None:
    for keep, left in [(3, [7, 8, 9]), (1, [10])]:
        train(SmallTrainee(), tmp_path, steps=left[-1], checkpoint_every_s=0, keep=keep, on_progress=ignore)
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == ["metrics.jsonl", *(f"step-{step:07d}.pt" for step in left)]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    """One bit of a weight: the archive is well-formed, torch reads it without a word."""
    content = bytearray(path.read_bytes())
    weight = read_checkpoint(path).state["module"]["0.weight"].numpy().tobytes()
    content[content.index(weight) + 5] ^= 4
    path.write_bytes(content)
    assert torch.load(path, weights_only=True)["step"] == 20


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, flip, empty])
def test_a_damaged_newest_checkpoint_costs_only_its_steps(
    tmp_path: Path, whole: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None]
) -> None:
    with pytest.raises(Interrupted):
        train(SmallTrainee(), tmp_path, steps=STEPS, checkpoint_every_s=0, on_progress=interrupt_after(21, fail))
    damage(tmp_path / "step-0000020.pt")
    train(SmallTrainee(), tmp_path, steps=19, on_progress=ignore)  # nothing to do, so that the next warns again
    with pytest.raises(Interrupted):
        train(SmallTrainee(), tmp_path, steps=STEPS, on_progress=interrupt_after(25, fail))
    assert "step-0000020.pt is damaged" in caplog.text and "going back to the checkpoint before it" in caplog.text
    train(SmallTrainee(), tmp_path, steps=STEPS, on_progress=ignore)
    assert_same_training(whole, tmp_path)


def test_a_passed_over_checkpoint_does_not_outlive_the_next(tmp_path: Path) -> None:
    train(SmallTrainee(), tmp_path, steps=9, checkpoint_every_s=0, on_progress=ignore)
    cut(tmp_path / "step-0000009.pt")
    train(SmallTrainee(), tmp_path, steps=9, on_progress=ignore)
    assert read_checkpoint(tmp_path / "step-0000009.pt").step == 9


def test_only_damaged_checkpoints_are_an_error(tmp_path: Path) -> None:
    train(SmallTrainee(), tmp_path, steps=2, on_progress=ignore)
    empty(tmp_path / "step-0000002.pt")
    with pytest.raises(WeightsError, match=r"no checkpoint in .* can be read: remove them to begin anew"):
        train(SmallTrainee(), tmp_path, steps=3, on_progress=ignore)


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    train(SmallTrainee(), tmp_path, steps=3, on_progress=ignore)
    before = (tmp_path / "step-0000003.pt").read_bytes()
    broken = SmallTrainee()

    def poison() -> None:
        with torch.no_grad():
            broken.module[0].weight.fill_(float("nan"))

    message = "loss is nan at step 6 of the training in .*; the checkpoint of step 3 is intact: lower the learning rate"
    with pytest.raises(RequestError, match=message):
        train(broken, tmp_path, steps=STEPS, on_progress=interrupt_after(5, poison))
    assert [path.name for path in tmp_path.glob("step-*")] == ["step-0000003.pt"]
    assert (tmp_path / "step-0000003.pt").read_bytes() == before
    assert [line["step"] for line in metrics(tmp_path)] == [1, 2, 3, 4, 5]


def test_time_adds_up_over_resumes(tmp_path: Path) -> None:
    for steps in (3, 6):
        train(SmallTrainee(slowed_s=0.05), tmp_path, steps=steps, on_progress=ignore)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert all(after["seconds"] - before["seconds"] >= 0.049 for before, after in pairwise(lines))
    assert all(after["cpu_seconds"] >= before["cpu_seconds"] for before, after in pairwise(lines))
    assert lines[-1]["seconds"] < 5 and lines[-1]["cpu_seconds"] < lines[-1]["seconds"]
    assert all(0 < line["frames_per_s"] <= 16 / 0.05 for line in lines)


def test_progress_tells_the_time_left(tmp_path: Path) -> None:
    told: list[Progress] = []
    train(SmallTrainee(slowed_s=0.02), tmp_path, steps=10, on_progress=told.append)
    assert [progress.step for progress in told] == list(range(1, 11)) and {p.steps for p in told} == {10}
    assert all(p.eta_s == pytest.approx((10 - p.step) / p.steps_per_s) and p.steps_per_s < 50 for p in told)
    assert told[-1].eta_s == 0 and told[0].metrics["loss"] == metrics(tmp_path)[0]["loss"]


def test_two_processes_train_one_model_and_the_first_alone_writes(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    programs = [started(tmp_path, 6, 1e9, RANK=str(rank), LOCAL_RANK=str(rank), **shared) for rank in range(2)]
    for program in programs:
        _, told = program.communicate(timeout=120)
        assert program.returncode == 0, told.decode()
    first = read_checkpoint(tmp_path / "step-0000006.pt").state["module"]
    second = torch.load(tmp_path / "second.pt", weights_only=True)["module"]
    alone = SmallTrainee()
    train(alone, tmp_path / "alone", steps=6, on_progress=ignore)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], alone.module.state_dict()[name]) for name in first)
    assert [line["step"] for line in metrics(tmp_path)] == [1, 2, 3, 4, 5, 6]
