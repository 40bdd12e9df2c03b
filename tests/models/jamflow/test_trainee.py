"""Both stages in training: a resumed run is the same run, on any number of processes."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "corpus"))  # with importlib, tests do not find their neighbours
sys.path.insert(0, str(Path(__file__).parent))

from small_clips import small_corpus
from small_trainees import COURSE, joint_trainee, motion_trainee

from models.corpus.batches import Batches
from models.corpus.collate import Placing, lettered
from models.jamflow.features import at_motion_rate
from models.jamflow.tokens import PADDING, released_vocabulary
from models.jamflow.trainee import FlowTrainee, JointTrainee, heard
from models.jamflow.training import without_features
from models.training.checkpoints import read_checkpoint
from models.training.loop import Progress, train

STAGES: dict[str, Callable[[], FlowTrainee]] = {"joint": joint_trainee, "motion": motion_trainee}
EACH_STAGE = pytest.mark.parametrize("stage", STAGES)
TIMES = {"seconds", "cpu_seconds", "frames_per_s"}


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


class Interrupted(Exception):
    pass


def stop_at(step: int) -> Callable[[Progress], None]:
    def on_progress(progress: Progress) -> None:
        if progress.step == step:
            raise Interrupted

    return on_progress


def metrics(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in TIMES} for line in lines]


@EACH_STAGE
def test_a_resumed_training_is_the_same_training(stage: str, tmp_path: Path) -> None:
    make, whole, cut = STAGES[stage], tmp_path / "whole", tmp_path / "cut"
    train(make(), whole, steps=8, on_progress=lambda _progress: None)
    for stopped in (3, 6):
        with pytest.raises(Interrupted):
            train(make(), cut, steps=8, checkpoint_every_s=0, on_progress=stop_at(stopped))
    train(make(), cut, steps=8, on_progress=lambda _progress: None)
    assert metrics(cut) == metrics(whole) and len(metrics(whole)) == 8
    one, other = (read_checkpoint(folder / "step-0000008.pt").state for folder in (whole, cut))
    for part in ("model", "ema"):
        assert one[part].keys() == other[part].keys()
        assert all(torch.equal(tensor, other[part][name]) for name, tensor in one[part].items())


@pytest.mark.parametrize(("stage", "loss"), [("joint", "audio_loss_of_sound"), ("motion", "motion_loss")])
def test_a_training_learns(stage: str, loss: str) -> None:
    trainee = STAGES[stage]()
    told = [dict(trainee.step(index)) for index in range(60)]
    values = [step[loss] for step in told if loss in step]
    assert sum(values[-8:]) / 8 < 0.9 * sum(values[:4]) / 4


def test_a_network_learns_the_mel_in_its_own_scale() -> None:
    """One that scales has the losses of one that does not, on clips that are scaled already."""
    plain, scaling = joint_trainee(), joint_trainee()
    audio = replace(scaling.model.config.audio, mel_mean=-4.0, mel_std=2.0)
    scaling.model.config = replace(scaling.model.config, audio=audio)
    seen = plain.batch(1).scaled(audio)
    plain.batch = lambda _index: seen  # type: ignore[method-assign]
    assert scaling.step(1) == plain.step(1) != joint_trainee().step(1)


def test_faces_and_sound_come_by_their_share() -> None:
    trainee = joint_trainee()
    kinds = [trainee.batch(index).motion is not None for index in range(40)]
    assert sum(kinds) == 20 and "".join("fs"[not kind] for kind in kinds).count("ff") == 0
    corpus = small_corpus(6, 0)
    alone = JointTrainee(trainee.model, COURSE, Batches(corpus, frames=600, seed=0), None)
    assert all(alone.batch(index).motion is not None for index in range(5))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_imagined_mouths_are_learned_from_in_their_share_of_the_sound(share: float) -> None:
    faces, sounds = small_corpus(4, 0), [replace(clip, is_imagined=True) for clip in small_corpus(4, 0)]
    course = replace(COURSE, imagined_share=share)
    model = joint_trainee().model
    trainee = JointTrainee(model, course, Batches(faces, frames=300, seed=0), Batches(sounds, frames=300, seed=0))
    batches = [trainee.batch(index).motion for index in range(80)]
    kinds = ["sound" if motion is None else "faces" if motion.has_rest.all() else "imagined" for motion in batches]
    assert kinds.count("faces") == 40 and kinds.count("imagined") == pytest.approx(40 * share, abs=10)
    told = trainee.step(kinds.index("imagined")).keys() if share else set()
    assert share == 0 or {"audio_loss_of_imagined", "motion_loss_of_imagined"} < told


def test_every_clip_is_learned_from_before_any_comes_again() -> None:
    corpus = small_corpus(6, 10)
    faces, sounds = Batches(corpus[:6], frames=120, seed=0), Batches(corpus[6:], frames=120, seed=0)
    course = replace(COURSE, face_placing=Placing(0, 0, 1, 0), sound_placing=Placing(0, 0, 1, 0), face_share=0.3)
    trainee = JointTrainee(joint_trainee().model, course, faces, sounds)
    lengths = {True: [], False: []}
    for index in range(20):
        batch = trainee.batch(index)
        assert batch.audio is not None and len(batch.audio.lengths) == 1
        lengths[batch.motion is not None].append(int(batch.audio.lengths))
    assert sorted(lengths[True]) == sorted(len(clip.mel) for clip in corpus[:6])
    assert sorted(lengths[False][:10]) == sorted(len(clip.mel) for clip in corpus[6:])


def test_stage_1_hears_the_mel_at_the_motion_rate() -> None:
    batch = joint_trainee().batch(1)
    assert batch.audio is not None and batch.motion is not None
    alone = heard(batch)
    assert alone.audio is None and alone.motion is not None and alone.motion.features is not None
    for row, mel in enumerate(batch.audio.mel):
        frames, mel_frames = int(batch.motion.lengths[row]), int(batch.audio.lengths[row])
        assert torch.equal(alone.motion.features[row, :frames], at_motion_rate(mel[:mel_frames], frames))
        assert not alone.motion.features[row, frames:].any()


def test_stage_1_changes_the_motion_branch_alone() -> None:
    trainee = motion_trainee()
    before = {name: tensor.clone() for name, tensor in trainee.model.state_dict().items()}
    for index in range(3):
        trainee.step(index)
    changed = {name for name, tensor in trainee.model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed and all(name.startswith("motion.") for name in changed)
    assert "motion.features.weight" in changed
    second = without_features(trainee.averaged())
    assert torch.equal(second.motion.inputs.weight, trainee.ema.averages["motion.inputs.weight"])


def test_letters_are_read_where_they_are_asked_for() -> None:
    corpus = small_corpus(4, 0)
    faces = Batches(corpus, frames=600, seed=0)
    trainee = JointTrainee(joint_trainee(2545).model, COURSE, faces, None, lettered(released_vocabulary()))
    batch = trainee.batch(0)
    assert batch.audio is not None
    assert ((batch.audio.tokens != PADDING).sum(dim=1) < batch.audio.lengths).all()
    assert trainee.step(0)["audio_loss_of_faces"] > 0


@pytest.mark.slow
@EACH_STAGE
def test_two_processes_train_one_model_on_batches_of_their_own(stage: str, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(__file__).with_name("small_trainees.py")), stage, str(tmp_path)]
    programs = [
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    for program in programs:
        told, _ = program.communicate(timeout=240)
        assert program.returncode == 0, told.decode()
    first = read_checkpoint(tmp_path / "step-0000005.pt").state
    second = torch.load(tmp_path / "second.pt", weights_only=True)
    for part in ("model", "ema"):
        assert all(torch.equal(tensor, second[part][name]) for name, tensor in first[part].items())
    alone = STAGES[stage]()
    for index in range(5):
        alone.step(index)
    assert not all(torch.equal(tensor, alone.model.state_dict()[name]) for name, tensor in first["model"].items())
    assert [line["step"] for line in metrics(tmp_path)] == [1, 2, 3, 4, 5]
