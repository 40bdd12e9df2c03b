"""A clip of any length: its mouth from its sound, or its sound from its mouth, in windows joined by cross-fades.

Letters: n samples at 24 kHz, t motion frames at 25 fps.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import numpy as np

from models.jamflow.chunks import crossfade
from models.jamflow.config import SAMPLE_RATE_HZ
from models.jamflow.generate import FADE_S, Sampling
from models.jamflow.lengths import TOLERANCE_FRAMES
from models.motion import Motion
from models.performer.engine import Engine
from models.performer.face import SEEN, cut
from models.performer.line import FPS, LONGEST_PART_S, fitted, offset
from models.performer.perform import Part, Reference, perform
from schemas.errors import LengthMismatch

_FADE_FRAMES = round(FADE_S * FPS)
_WINDOW_FRAMES = round(LONGEST_PART_S * FPS)
_SAMPLES_PER_FRAME = SAMPLE_RATE_HZ // FPS
_EPSILON = 1e-6

Progress = Callable[[int, int], None]


def motion_frames(duration_s: float) -> int:
    """Motion frames that last as long as a sound, rounded."""
    return max(1, round(duration_s * FPS))


def check_lengths(sound_s: float, picture_s: float, sound_name: str, picture_name: str) -> None:
    """Raises: LengthMismatch, where a sound and the picture it is for differ by more than two motion frames."""
    if abs(sound_s - picture_s) > TOLERANCE_FRAMES / FPS + _EPSILON:
        longer, shorter = (sound_name, picture_name) if sound_s > picture_s else (picture_name, sound_name)
        raise LengthMismatch(
            f"{sound_name} lasts {sound_s:.2f} s and {picture_name} {picture_s:.2f} s: cut {longer} or lengthen "
            f"{shorter} until they differ by at most {TOLERANCE_FRAMES} motion frames ({TOLERANCE_FRAMES / FPS:.2f} s)"
        )


def windows(frames: int) -> tuple[tuple[int, int], ...]:
    """Cut t frames into windows (first, count) of equal length, at most 8 s, that overlap by the fade."""
    count = math.ceil((frames - _FADE_FRAMES) / (_WINDOW_FRAMES - _FADE_FRAMES))
    if count <= 1:
        return ((0, frames),)
    edges = np.linspace(0, frames - _FADE_FRAMES, count + 1).round().astype(int)
    return tuple((int(first), int(last - first) + _FADE_FRAMES) for first, last in pairwise(edges))


def mouth_from_sound(
    engine: Engine,
    samples: np.ndarray,
    face: Motion,
    sampling: Sampling,
    *,
    mode: Literal["lipsync", "animate"],
    seed: int,
    progress: Progress | None = None,
) -> Motion:
    """Make the mouth that belongs to a sound [n], on a face whose other motion is given: a video's, or a portrait's."""
    frames = motion_frames(len(samples) / SAMPLE_RATE_HZ)
    spans = windows(frames)
    mouths, space = [], engine.joint.description.motion_space
    for index, (first, count) in enumerate(spans):
        sound = fitted(samples[first * _SAMPLES_PER_FRAME :], count * _SAMPLES_PER_FRAME)
        part = Part(mode=mode, samples=sound, motion=cut(face, first, count))
        told = None if progress is None else offset(progress, index, len(spans))
        made = perform(engine.joint, engine.decode, part, sampling, seed=seed + index, progress=told).motion
        assert made is not None, "both modes generate the mouth"
        mouths.append(cut(made, 0, count).mouth)
    mouth = crossfade(mouths, fade_s=FADE_S, rate_hz=FPS).astype(np.float32)
    return Motion(space, mouth, np.zeros((len(mouth), 0), np.float32), np.ones(len(mouth), np.float32))


def sound_from_mouth(
    engine: Engine,
    face: Motion,
    reference: Reference | None,
    sampling: Sampling,
    *,
    seed: int,
    progress: Progress | None = None,
) -> np.ndarray:
    """Make the speech that belongs to a mouth of t frames: 960 t samples; silence where the mouth is never seen."""
    spans = windows(len(face.mouth))
    sounds = []
    for index, (first, count) in enumerate(spans):
        told = None if progress is None else offset(progress, index, len(spans))
        part = Part(mode="revoice", reference=reference, motion=cut(face, first, count))
        sounds.append(_window(engine, part, count, sampling, seed + index, told))
    return crossfade(sounds, fade_s=FADE_S, rate_hz=SAMPLE_RATE_HZ).astype(np.float32)


def _window(
    engine: Engine, part: Part, frames: int, sampling: Sampling, seed: int, progress: Progress | None
) -> np.ndarray:
    assert part.motion is not None, "the mouth is what is given"
    length = frames * _SAMPLES_PER_FRAME
    if not (part.motion.visible > SEEN).any():
        return np.zeros(length, np.float32)
    made = perform(engine.joint, engine.decode, part, sampling, seed=seed, progress=progress).samples
    assert made is not None, "the mode generates sound"
    return fitted(made, length)
