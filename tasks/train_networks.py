"""The two stages of the joint model's training."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from models.corpus.batches import Batches
from models.corpus.collate import lettered
from models.corpus.features import Clip
from models.corpus.phones import phone_vocabulary
from models.jamflow.config import JamFlowConfig
from models.jamflow.ema import Ema
from models.jamflow.joint import JamFlow
from models.jamflow.trainee import JointTrainee, MotionTrainee
from models.jamflow.training import freeze_audio, without_features
from models.training.checkpoints import newest_checkpoint
from schemas.errors import RequestError, WeightsError
from schemas.training import Training
from tasks.recipe import claim
from tasks.stage import long_task
from tasks.train_clips import apart, training_clips
from tasks.train_parts import autocast_of, joint_course, motion_course, network_of, start_of, with_features
from tasks.train_ranks import lead
from tasks.train_stage import device, digest, run_stage

MOTION, JOINT = "motion", "joint"


@long_task("train-motion")
def train_motion(config: Training, files: tuple[Path, ...]) -> Path:
    """Stage 1, on all processes; returns its folder."""
    lead(MOTION, config, files)
    return teach_motion(config, files)


@long_task("train-joint")
def train_joint(config: Training, files: tuple[Path, ...]) -> Path:
    """Stage 2, on all processes; returns its folder."""
    lead(JOINT, config, files)
    return teach_joint(config, files)


def teach_motion(config: Training, files: tuple[Path, ...]) -> Path:
    """Train the Motion-DiT from the sound's log-mel."""
    assert config.motion is not None
    torch.set_num_threads(config.threads)
    folder, course, place = config.out / MOTION, config.motion, device()
    faces = faces_of(training_clips(files, config.features))[0]
    network = with_features(network_of(config)[0])
    claim(folder, _recipe(config, network, faces, course.model_dump(mode="json")))
    torch.manual_seed(config.seed)
    model = JamFlow(network).to(place)
    batches = Batches(faces, frames=course.frames, seed=config.seed)
    trainee = MotionTrainee(model, motion_course(config, course, autocast_of(config, place)), batches)
    run_stage(MOTION, trainee, folder, course.steps, config)
    return folder


def teach_joint(config: Training, files: tuple[Path, ...]) -> Path:
    """Train both branches."""
    assert config.joint is not None
    torch.set_num_threads(config.threads)
    folder, course, place = config.out / JOINT, config.joint, device()
    clips = training_clips(files, config.features)
    faces, sounds = faces_of(clips)
    network, vocabulary = network_of(config)
    start = start_of(config)
    recipe = course.model_dump(mode="json", exclude={"start", "release"})
    recipe |= {"start": "" if start is None else start.sha256(), "has_stage_1": config.motion is not None}
    claim(folder, _recipe(config, network, clips, recipe))
    model = begun(config, network).to(place)
    if course.freezes_audio:
        freeze_audio(model)
    trainee = JointTrainee(
        model,
        joint_course(config, course, autocast_of(config, place)),
        Batches(faces, frames=course.frames, seed=config.seed),
        Batches(sounds, frames=course.sound_frames, seed=config.seed + 1) if sounds else None,
        None if vocabulary == phone_vocabulary() else lettered(vocabulary),
    )
    run_stage(JOINT, trainee, folder, course.steps, config)
    return folder


def begun(config: Training, network: JamFlowConfig) -> JamFlow:
    """The joint model as stage 2 begins it: new or of a checkpoint, with stage 1's motion branch where there is one."""
    start = start_of(config)
    torch.manual_seed(config.seed)
    model = JamFlow(network) if start is None else start.load()
    if config.motion is not None:
        learned = averaged(config.out / MOTION, with_features(network), config.motion.ema_decay)
        model.motion.load_state_dict(without_features(learned).motion.state_dict())
    return model


def averaged(folder: Path, network: JamFlowConfig, decay: float) -> JamFlow:
    """The averaged weights of a stage's newest checkpoint, in eval mode.

    Raises:
        WeightsError: There is none, or it is of another network.
    """
    checkpoint = newest_checkpoint(folder)
    if checkpoint is None:
        raise WeightsError(f"{folder} holds no checkpoint: train that stage first")
    model = JamFlow(network)
    try:
        model.load_state_dict(checkpoint.state["model"])
        averages = Ema(model, decay)
        averages.load_state_dict(checkpoint.state["ema"])
    except (KeyError, RuntimeError) as error:
        first = " ".join(str(error).split())[:120]
        raise WeightsError(f"{folder} is of another network ({first}): train it with this configuration") from error
    averages.copy_to(model)
    return model.eval()


def faces_of(clips: list[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Clips with a face, and of sound alone. Raises: RequestError, where no clip has a face."""
    faces, sounds = apart(clips)
    if not faces:
        raise RequestError(f"none of {len(clips)} clips has a face: give a corpus of films (an index with fps)")
    return faces, sounds


def _recipe(config: Training, network: JamFlowConfig, clips: list[Clip], course: dict[str, Any]) -> dict[str, Any]:
    return {
        "seed": config.seed,
        "precision": config.precision,
        "clips": digest([clip.id for clip in clips]),
        "network": network.as_json(),
        "course": course,
    }


STAGES: Mapping[str, Callable[..., Any]] = MappingProxyType({MOTION: teach_motion, JOINT: teach_joint})
"""What other processes than the first are led to do."""
