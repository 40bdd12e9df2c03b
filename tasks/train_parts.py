"""A training's configuration as the values that the networks are built of and trained with."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from models.corpus.collate import Placing
from models.corpus.phones import phone_vocabulary
from models.jamflow.chance import STAGE_1, Recipe
from models.jamflow.checkpoint import VOCABULARY, load_checkpoint, read_description
from models.jamflow.config import AUDIO, COUPLING, MEL_BANDS, RELEASES, JamFlowConfig, joined
from models.jamflow.f5 import LICENCE, WEIGHTS_FILES, join_release
from models.jamflow.joint import JamFlow
from models.jamflow.tokens import Vocabulary, released_vocabulary
from models.jamflow.trainee import Course
from models.weights.files import sha256_of
from schemas.errors import WeightsError
from schemas.motion import MotionSpace
from schemas.training import JointCourse, MotionCourse, PlacingShares, Release, Size, Training
from tasks.train_faces import space_of

_AS_THEY_ARE = Placing(paired=0.0, even=0.0, true=1.0, spread=0.0)


@dataclass(frozen=True)
class Start:
    """Weights that stage 2 begins with, not yet read.

    Attributes:
        path: Where they are.
        load: Reads them into a joint model of `network`.
        sha256: Hashes them.
    """

    path: Path
    network: JamFlowConfig
    vocabulary: Vocabulary
    licence: str
    commercial_use: bool
    load: Callable[[], JamFlow]
    sha256: Callable[[], str]


def start_of(config: Training) -> Start | None:
    """What stage 2 begins with; None: new weights.

    Raises:
        WeightsError: It is not there, or of another motion space than the features.
    """
    if config.joint is None:
        return None
    if config.joint.release is not None:
        return _released(config.joint.release, space_of(config.features), config.seed)
    return None if config.joint.start is None else _checkpoint(config.joint.start, space_of(config.features))


def _checkpoint(folder: Path, motion: MotionSpace) -> Start:
    about = read_description(folder)
    if about.motion_space != motion:
        raise WeightsError(
            f"{folder} moves in the space {about.motion_space.name!r}, and the features are of {motion.name!r}: choose "
            f"other weights or other features"
        )
    return Start(
        path=folder,
        network=JamFlowConfig.from_json(about.config),
        vocabulary=Vocabulary.from_file(folder / VOCABULARY),
        licence=about.licence,
        commercial_use=about.commercial_use,
        load=lambda: load_checkpoint(folder, motion).model,
        sha256=lambda: about.weights_sha256,
    )


def _released(release: Release, motion: MotionSpace, seed: int) -> Start:
    if not release.file.is_file():
        raise WeightsError(f"{release.file} does not exist: get {WEIGHTS_FILES[release.name]} of SWivid/F5-TTS")
    return Start(
        path=release.file,
        network=joined(RELEASES[release.name], motion),
        vocabulary=released_vocabulary(),
        licence=LICENCE,
        commercial_use=False,
        load=lambda: join_release(release.file, release.name, motion, seed),
        sha256=lambda: sha256_of(release.file),
    )


def network_of(config: Training) -> tuple[JamFlowConfig, Vocabulary]:
    """The joint model and what it reads. Raises: RequestError, WeightsError, as above."""
    start = start_of(config)
    if start is not None:
        return start.network, start.vocabulary
    assert config.size is not None, "either a size or a start is given"
    return new_network(config.size, space_of(config.features)), phone_vocabulary()


def new_network(size: Size, motion: MotionSpace) -> JamFlowConfig:
    """A named size that reads phones, and what is otherwise with it."""
    audio = AUDIO[size.name]
    trunk = audio.trunk if size.dropout is None else replace(audio.trunk, dropout=size.dropout)
    audio = replace(
        audio,
        trunk=trunk,
        vocabulary_size=len(phone_vocabulary().entries),
        mel_mean=size.mel_mean,
        mel_std=size.mel_std,
    )
    coupling = replace(
        COUPLING,
        joint=size.joint,
        windows=COUPLING.windows if size.masks else None,
        aligns_rotary=size.aligns_rotary,
        is_gated=size.is_gated,
        balances_streams=size.balances_streams,
    )
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
        imagined_share=course.imagined_share,
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
        imagined_share=0.0,
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
