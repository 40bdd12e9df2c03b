"""A training's configuration as the values that the networks are built of and trained with."""

from dataclasses import replace
from pathlib import Path

import torch
from pydantic import ValidationError

from models.corpus.collate import Placing
from models.corpus.phones import phone_vocabulary
from models.facemesh.space import space
from models.jamflow.chance import STAGE_1, Recipe
from models.jamflow.checkpoint import VOCABULARY, Description, read_description
from models.jamflow.config import AUDIO, COUPLING, MEL_BANDS, JamFlowConfig, joined
from models.jamflow.tokens import Vocabulary
from models.jamflow.trainee import Course
from schemas.errors import RequestError, WeightsError
from schemas.motion import MotionSpace
from schemas.training import JointCourse, MotionCourse, PlacingShares, Size, Training

_AS_THEY_ARE = Placing(paired=0.0, even=0.0, true=1.0, spread=0.0)


def motion_space_of(config: Training) -> MotionSpace:
    """The space that the features' motion is written in.

    Raises:
        RequestError: The file that describes it cannot be read.
    """
    path = config.features.motion_space
    if path is None:
        return space()
    try:
        return MotionSpace.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        first = " ".join(str(error).split())[:120]
        raise RequestError(f"{path} describes no motion space ({first}): see docs/training.md") from error


def start_of(config: Training) -> tuple[Path, Description] | None:
    """The checkpoint that stage 2 begins with, and what it says of itself.

    Raises:
        WeightsError: It cannot be read, or is of another motion space than the features.
    """
    folder = None if config.joint is None else config.joint.start
    if folder is None:
        return None
    description = read_description(folder)
    if description.motion_space != motion_space_of(config):
        raise WeightsError(
            f"{folder} moves in the space {description.motion_space.name!r}, and the features are of "
            f"{motion_space_of(config).name!r}: convert it with --motion-space, or choose other features"
        )
    return folder, description


def network_of(config: Training) -> tuple[JamFlowConfig, Vocabulary]:
    """The joint model and what it reads. Raises: RequestError, WeightsError, as above."""
    start = start_of(config)
    if start is not None:
        folder, description = start
        return JamFlowConfig.from_json(description.config), Vocabulary.from_file(folder / VOCABULARY)
    assert config.size is not None, "either a size or a start is given"
    return new_network(config.size, motion_space_of(config)), phone_vocabulary()


def new_network(size: Size, motion: MotionSpace) -> JamFlowConfig:
    """A named size that reads phones, and what is otherwise with it."""
    audio = AUDIO[size.name]
    trunk = audio.trunk if size.dropout is None else replace(audio.trunk, dropout=size.dropout)
    audio = replace(audio, trunk=trunk, vocabulary_size=len(phone_vocabulary().entries))
    coupling = replace(COUPLING, joint=size.joint, is_gated=size.is_gated, balances_streams=size.balances_streams)
    return joined(audio, motion, coupling=coupling)


def with_features(network: JamFlowConfig) -> JamFlowConfig:
    """The same model as stage 1 has it: its motion branch hears the log-mel."""
    return replace(network, motion=replace(network.motion, features=MEL_BANDS))


def joint_course(config: Training, course: JointCourse, autocast: torch.dtype | None) -> Course:
    """Stage 2."""
    return Course(
        steps=course.steps,
        warmup=course.warmup,
        learning_rate=course.learning_rate,
        face_share=course.face_share,
        recipe=Recipe(**course.chances.model_dump()),
        face_placing=_placing(course.face_placing),
        sound_placing=_placing(course.sound_placing),
        ema_decay=course.ema_decay,
        autocast=autocast,
        seed=config.seed,
    )


def motion_course(config: Training, course: MotionCourse, autocast: torch.dtype | None) -> Course:
    """Stage 1, in which no text is read."""
    return Course(
        steps=course.steps,
        warmup=course.warmup,
        learning_rate=course.learning_rate,
        face_share=1.0,
        recipe=replace(STAGE_1, drop_rest=course.drop_rest),
        face_placing=_AS_THEY_ARE,
        sound_placing=_AS_THEY_ARE,
        ema_decay=course.ema_decay,
        autocast=autocast,
        seed=config.seed,
    )


def _placing(shares: PlacingShares) -> Placing:
    return Placing(**shares.model_dump())


def autocast_of(config: Training, device: torch.device) -> torch.dtype | None:
    """bfloat16 where it is asked for and the processor has it; else None, which is float32."""
    return torch.bfloat16 if config.precision == "bfloat16" and has_bfloat16(device) else None


def has_bfloat16(device: torch.device) -> bool:
    """Whether matrix products in bfloat16 are faster than in float32 there; elsewhere they are emulated, slowly."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
