"""The networks as something that can be trained step by step (models.training.loop.Trainee).

Stage 1 is the Motion-DiT alone, from features of the sound; stage 2 is both branches. Letters: b clips, m frames.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Generator
from torch.nn.utils.rnn import pad_sequence

from models.corpus.batches import Batches
from models.corpus.collate import Placing, Spell, collate
from models.jamflow.chance import AudioClips, Batch, MotionClips, Recipe, draw
from models.jamflow.ema import Ema
from models.jamflow.features import at_motion_rate
from models.jamflow.joint import JamFlow
from models.jamflow.training import Losses, train_step
from models.training.distributed import rank, world_size, wrap
from models.training.schedule import warm_cosine


@dataclass(frozen=True)
class Course:
    """How a joint model is trained.

    Attributes:
        steps, warmup: Of the schedule.
        learning_rate: Its peak.
        face_share: Of steps on clips with a face; the others are on sound alone.
        imagined_share: Of the steps on sound whose imagined mouths, where there are any, are learned with it.
        ema_decay: Of the averaged weights, those that are shipped.
        seed: Of everything random.
    """

    steps: int
    warmup: int
    learning_rate: float
    face_share: float
    imagined_share: float
    recipe: Recipe
    face_placing: Placing
    sound_placing: Placing
    ema_decay: float
    autocast: torch.dtype | None
    seed: int


class FlowTrainee(ABC):
    """Model, on the device it is to be trained on, its optimiser and averages."""

    def __init__(self, model: JamFlow, course: Course) -> None:
        self.model, self._course = model, course
        self._device = next(model.parameters()).device
        self._wrapped = wrap(model, has_idle_parts=True)  # a batch may lack a branch
        self._optimiser = torch.optim.AdamW(model.parameters(), lr=course.learning_rate, fused=True)
        self.ema = Ema(model, course.ema_decay)

    def step(self, index: int) -> Mapping[str, float]:
        """One step on the batch of this index."""
        batch = on_device(self.batch(index), self._device).scaled(self.model.config.audio)
        generator = Generator().manual_seed(_seed(self._course.seed, index, 1))
        torch.manual_seed(_seed(self._course.seed, index, 2))  # dropout's
        factor = warm_cosine(index, steps=self._course.steps, warmup=self._course.warmup, floor=0.02)
        for group in self._optimiser.param_groups:
            group["lr"] = factor * self._course.learning_rate
        chosen = draw(batch, self._course.recipe, generator)
        self.model.train()
        taken = train_step(self._wrapped, self._optimiser, batch, chosen, autocast=self._course.autocast)
        self.ema.update(self.model)
        return {**self.told(batch, taken.losses), "gradient_norm": taken.gradient_norm}

    @abstractmethod
    def batch(self, index: int) -> Batch:
        """What the step of an index learns from; each process of several takes batches of its own."""

    @abstractmethod
    def told(self, batch: Batch, losses: Losses) -> dict[str, float]:
        """The losses by the names of metrics, and `frames`."""

    def averaged(self) -> JamFlow:
        """The averaged model, in eval mode."""
        averaged = JamFlow(self.model.config)
        averaged.load_state_dict(self.model.state_dict())
        self.ema.copy_to(averaged)
        return averaged.eval()

    def state(self) -> dict[str, Any]:
        """Weights, moments and averages."""
        return {
            "model": self.model.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "ema": self.ema.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.model.load_state_dict(state["model"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.ema.load_state_dict({name: tensor.to(self._device) for name, tensor in state["ema"].items()})


class JointTrainee(FlowTrainee):
    """Both branches, on faces and on sound in turns; without sounds, every step is on faces."""

    def __init__(
        self,
        model: JamFlow,
        course: Course,
        faces: Batches,
        sounds: Batches | None,
        spell: Spell | None = None,
    ) -> None:
        """`spell`: what is read of a clip; None: phones at their places."""
        super().__init__(model, course)
        self._faces, self._sounds, self._spell = faces, sounds, spell

    def batch(self, index: int) -> Batch:
        before, after = (int(self._course.face_share * count) for count in (index, index + 1))
        has_faces = self._sounds is None or after > before
        done = index if self._sounds is None else before if has_faces else index - before
        source = self._faces if has_faces or self._sounds is None else self._sounds
        placing = self._course.face_placing if has_faces else self._course.sound_placing
        rng = np.random.default_rng([self._course.seed, index, rank()])
        clips = source[done * world_size() + rank()]
        if any(clip.is_imagined for clip in clips) and rng.random() >= self._course.imagined_share:
            clips = [clip.without_face() for clip in clips]
        return collate(clips, placing, rng, self._spell)

    def told(self, batch: Batch, losses: Losses) -> dict[str, float]:
        assert batch.audio is not None
        frames, audio_loss, motion_loss = float(batch.audio.lengths.sum()), float(losses.audio), float(losses.motion)
        if batch.motion is None:
            return {"audio_loss_of_sound": audio_loss, "frames": frames}
        if not batch.motion.has_rest.any():
            return {"audio_loss_of_imagined": audio_loss, "motion_loss_of_imagined": motion_loss, "frames": frames}
        return {"audio_loss_of_faces": audio_loss, "motion_loss": motion_loss, "frames": frames}


class MotionTrainee(FlowTrainee):
    """Stage 1: the motion branch hears the clips' log-mel at its own rate."""

    def __init__(self, model: JamFlow, course: Course, faces: Batches) -> None:
        super().__init__(model, course)
        self._faces = faces

    def batch(self, index: int) -> Batch:
        rng = np.random.default_rng([self._course.seed, index, rank()])
        return heard(collate(self._faces[index * world_size() + rank()], self._course.face_placing, rng))

    def told(self, batch: Batch, losses: Losses) -> dict[str, float]:
        assert batch.motion is not None
        return {"motion_loss": float(losses.motion), "frames": float(batch.motion.lengths.sum())}


def heard(batch: Batch) -> Batch:
    """Stage 1's batch of clips with faces: motion alone, with the mel [b, m, 100] at its rate as features."""
    assert batch.audio is not None and batch.motion is not None
    lengths = zip(batch.audio.mel, batch.audio.lengths.tolist(), batch.motion.lengths.tolist(), strict=True)
    features = [at_motion_rate(mel[:mel_frames], frames) for mel, mel_frames, frames in lengths]
    return Batch(None, replace(batch.motion, features=pad_sequence(features, batch_first=True)))


def on_device(batch: Batch, device: torch.device) -> Batch:
    """The same batch on a device."""
    return Batch(*(None if clips is None else _moved(clips, device) for clips in (batch.audio, batch.motion)))


def _moved(clips: AudioClips | MotionClips, device: torch.device) -> Any:
    moved = {name: part.to(device) for name, part in vars(clips).items() if part is not None}
    return replace(clips, **moved)


def _seed(seed: int, index: int, use: int) -> int:
    return int(np.random.SeedSequence([seed, index, rank(), use]).generate_state(1)[0])
