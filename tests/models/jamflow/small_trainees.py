"""Small trainings of both stages, which also run as a process of their own: STAGE FOLDER."""

import sys
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "corpus"))

from small_clips import small_corpus

from models.corpus.batches import Batches
from models.corpus.collate import Placing
from models.corpus.phones import phone_vocabulary
from models.facemesh.space import space
from models.jamflow.chance import STAGE_1, Recipe
from models.jamflow.config import MEL_BANDS, audio, joined, trunk
from models.jamflow.joint import JamFlow
from models.jamflow.trainee import Course, JointTrainee, MotionTrainee
from models.training.distributed import process_group, rank
from models.training.loop import train

COURSE = Course(
    steps=60,
    warmup=3,
    learning_rate=3e-3,
    face_share=0.5,
    imagined_share=0.0,
    recipe=Recipe(),
    face_placing=Placing(0.3, 0.2, 0.4, 0.25),
    sound_placing=Placing(0.2, 0.0, 0.7, 0.12),
    ema_decay=0.9,
    autocast=None,
    seed=0,
)
FACES, SOUNDS = 6, 8


def joint_trainee(vocabulary_size: int | None = None) -> JointTrainee:
    """Stage 2, with dropout."""
    corpus = small_corpus(FACES, SOUNDS)
    faces, sounds = Batches(corpus[:FACES], frames=400, seed=0), Batches(corpus[FACES:], frames=400, seed=1)
    return JointTrainee(_model(vocabulary_size or len(phone_vocabulary().entries), 0), COURSE, faces, sounds)


def motion_trainee() -> MotionTrainee:
    """Stage 1."""
    faces = Batches(small_corpus(FACES, 0), frames=400, seed=0)
    model = _model(len(phone_vocabulary().entries), MEL_BANDS)
    return MotionTrainee(model, replace(COURSE, recipe=replace(STAGE_1, drop_rest=0.3)), faces)


def _model(vocabulary_size: int, features: int) -> JamFlow:
    torch.manual_seed(0)
    return JamFlow(joined(audio(trunk(32, 2, 2, 16), 16, 1, vocabulary_size), space(), features=features))


if __name__ == "__main__":
    torch.set_num_threads(1)
    stage, folder = sys.argv[1], Path(sys.argv[2])
    with process_group():
        trainee = {"joint": joint_trainee, "motion": motion_trainee}[stage]()
        train(trainee, folder, steps=5, on_progress=lambda _progress: None)
        if rank() == 1:
            torch.save(trainee.state(), folder / "second.pt")
