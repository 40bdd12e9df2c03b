"""Clips of chance for tests of plumbing: right shapes and times, no meaning."""

from pathlib import Path

import numpy as np

from models.corpus.features import Clip
from models.corpus.phones import PAUSE, phone_vocabulary
from models.corpus.prepare import SUFFIX
from models.facemesh.space import space

MEL_PER_SECOND = 93.75
LETTERS = ("p", "ˈa", "t", "iː", "m", "ˈoː", "s")


def small_clip(number: int, motion_frames: int, *, has_face: bool) -> Clip:
    """A clip of so many motion frames of 40 ms; the numbers in it depend on its number alone."""
    rng = np.random.default_rng(number)
    mel_frames = round(motion_frames * MEL_PER_SECOND / 25)
    phones = [PAUSE, *rng.permutation(LETTERS).tolist(), PAUSE]
    shares = np.cumsum(rng.uniform(0.5, 1.5, len(phones)))
    edges_s = np.concatenate([[0.0], shares / shares[-1] * mel_frames / MEL_PER_SECOND])
    seen = motion_frames if has_face else 0
    return Clip(
        id=f"clip-{number}",
        speaker=f"speaker-{number % 2}",
        language="en",
        split="train",
        text="pat team some",
        mel=rng.normal(-4, 2, (mel_frames, 100)).astype(np.float16),
        mouth=rng.standard_normal((seen, len(space().mouth_dims))).astype(np.float32),
        rest=rng.standard_normal((seen, len(space().rest_dims))).astype(np.float32),
        visible=np.ones(seen, bool),
        phones=np.array(phone_vocabulary().ids(phones), np.int64),
        edges_s=edges_s,
    )


def small_corpus(faces: int, sounds: int) -> list[Clip]:
    """Clips of 0.8 to 1.2 s, first those with a face."""
    return [small_clip(n, 20 + n % 11, has_face=n < faces) for n in range(faces + sounds)]


def write_features(folder: Path, faces: int, sounds: int) -> Path:
    """A folder of prepared features."""
    folder.mkdir(parents=True)
    for clip in small_corpus(faces, sounds):
        (folder / f"{clip.id}{SUFFIX}").write_bytes(clip.to_bytes())
    return folder
