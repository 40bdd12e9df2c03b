"""When phones are said: how long they naturally are, and where a mouth says them."""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file

from models.corpus.features import Clip
from models.performer.engine import DURATIONS, MOUTH, TIMING
from models.timing.durations import train_durations
from models.timing.mouth import train_mouth_timing
from schemas.errors import RequestError
from schemas.training import TimingCourse, Training
from tasks.recipe import claim
from tasks.stage import long_task
from tasks.train_clips import apart, training_clips
from tasks.train_stage import digest, made_whole, say

_FEWEST_PHONES = 5


@long_task("train-timing")
def train_timing(config: Training, files: tuple[Path, ...]) -> Path:
    """Fit both, minutes each; returns their folder. What is there already, of the same recipe, is kept."""
    assert config.timing is not None
    torch.set_num_threads(config.threads)
    folder, course = config.out / TIMING, config.timing
    clips = training_clips(files, config.features)
    claim(folder, {"seed": config.seed, "clips": digest([clip.id for clip in clips]), "timing": course.model_dump()})
    fit_durations(folder / DURATIONS, clips, course, config.seed)
    fit_mouth(folder / MOUTH, clips, course, config.seed)
    return folder


def fit_durations(path: Path, clips: Sequence[Clip], course: TimingCourse, seed: int) -> None:
    """Of all clips whose words or phones have times, with a face or without: a command lasts otherwise than a story.

    Raises:
        RequestError: No clip has phones.
    """
    if path.is_file():
        return
    chosen = [clip for clip in clips if len(clip.phones) >= _FEWEST_PHONES]
    if not chosen:
        raise RequestError("no clip has the times of its phones: leave [timing] out, or give a corpus with phones")
    say(f"timing: durations of {len(chosen)} clips")
    texts = [(clip.phones, clip.edges_s) for clip in chosen]
    network = train_durations(texts, epochs=course.duration_epochs, seed=seed)
    pending = path.with_suffix(".part")
    save_file({name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}, pending)
    pending.replace(path)


def fit_mouth(folder: Path, clips: Sequence[Clip], course: TimingCourse, seed: int) -> None:
    """Of clips with a face and phones; without any, there is no mouth to read and nothing is made."""
    faces = [clip for clip in apart(clips)[0] if len(clip.phones)]
    if not faces:
        say("timing: no clip has a face and phones, so no mouth is read")
        return
    say(f"timing: mouths of {len(faces)} clips")

    def make(building: Path) -> None:
        train_mouth_timing(faces, building, steps=course.mouth_steps, seed=seed)

    made_whole(folder, make)
