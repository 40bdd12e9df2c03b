"""A whole line performed: cut at pauses where it is long, every part performed, joined again without loss.

Letters: n samples at 24 kHz, t motion frames at 25 fps.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.cascade.speak import PEAK, faded
from models.corpus.phones import PAUSE, TimedPhone, merged
from models.jamflow.config import SAMPLE_RATE_HZ
from models.jamflow.generate import Sampling
from models.jamflow.modes import MODES
from models.motion import Motion
from models.performer.engine import Engine
from models.performer.face import SEEN, cut
from models.performer.perform import Part, Performance, Reference, perform

LONGEST_PART_S = 8.0
"""What the model was trained on lasts about as long: longer parts drift."""
FPS = 25
_SAMPLES_PER_FRAME = SAMPLE_RATE_HZ // FPS
_EPSILON = 1e-6


@dataclass(frozen=True)
class Performable:
    """A line as it is asked for.

    Attributes:
        mode: A row of models.jamflow.modes that generates sound.
        phones: The text on the line's own clock, from 0 to its end.
        reference: The voice.
        motion: The face from the line's start on, at 25 fps; may end before or after the line.
    """

    mode: str
    phones: tuple[TimedPhone, ...]
    reference: Reference | None = None
    motion: Motion | None = None

    @property
    def duration_s(self) -> float:
        return self.phones[-1].end_s


@dataclass(frozen=True)
class Piece:
    """Frames [first, first + frames) of a line, and its phones on the piece's own clock."""

    first: int
    frames: int
    phones: tuple[TimedPhone, ...]


def perform_line(
    engine: Engine,
    line: Performable,
    sampling: Sampling,
    *,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Performance:
    """Perform a line: mono float32 of exactly its duration, and its motion where the mode makes one.

    Raises: see models.performer.perform.
    """
    parts = pieces(line.phones)
    made = []
    for index, piece in enumerate(parts):
        told = None if progress is None else offset(progress, index, len(parts))
        part = _part(line, piece)
        made.append(perform(engine.joint, engine.decode, part, sampling, seed=seed + index, progress=told))
    return _joined(parts, made, round(line.duration_s * SAMPLE_RATE_HZ))


def pieces(phones: Sequence[TimedPhone], longest_s: float = LONGEST_PART_S) -> tuple[Piece, ...]:
    """Cut a line in the middle of pauses into as few pieces of at most `longest_s` as its pauses allow.

    Nothing is left out: a stretch without a pause stays whole, however long it is.
    """
    frames = max(1, math.ceil(phones[-1].end_s * FPS - _EPSILON))
    pauses = sorted({round((own.start_s + own.end_s) / 2 * FPS) for own in phones[1:-1] if own.phone == PAUSE})
    cuts = _cuts([frame for frame in pauses if 0 < frame < frames], frames, longest_s * FPS)
    return tuple(
        Piece(first, last - first, _between(phones, first / FPS, last / FPS))
        for first, last in pairwise([0, *cuts, frames])
    )


def _cuts(candidates: Sequence[int], frames: int, longest: float) -> list[int]:
    """Spread ever more cuts evenly over the pauses until no piece is too long, or every pause is a cut."""
    for count in range(math.ceil(frames / longest) - 1, len(candidates)):
        wanted = [frames * (number + 1) / (count + 1) for number in range(count)]
        cuts = sorted({_nearest(candidates, goal) for goal in wanted})
        if all(last - first <= longest for first, last in pairwise([0, *cuts, frames])):
            return cuts
    return list(candidates) if frames > longest else []


def _nearest(candidates: Sequence[int], goal: float) -> int:
    return min(candidates, key=lambda frame: abs(frame - goal))


def _between(phones: Sequence[TimedPhone], start_s: float, end_s: float) -> tuple[TimedPhone, ...]:
    inside = [
        TimedPhone(own.phone, max(own.start_s, start_s) - start_s, min(own.end_s, end_s) - start_s)
        for own in phones
        if min(own.end_s, end_s) > max(own.start_s, start_s)
    ]
    last_s = inside[-1].end_s if inside else 0.0
    return merged([*inside, TimedPhone(PAUSE, last_s, end_s - start_s)])


def _part(line: Performable, piece: Piece) -> Part:
    """What of the line's material belongs to a piece; without a face to follow it is read."""
    motion = None if line.motion is None else cut(line.motion, piece.first, piece.frames)
    mode = line.mode
    if mode == "dub" and (motion is None or not (motion.visible > SEEN).any()):
        mode = "read"
    return Part(
        mode=mode,
        phones=piece.phones,
        reference=line.reference,
        motion=motion if MODES[mode].has_motion else None,
        duration_s=piece.frames / FPS,
    )


def _joined(parts: Sequence[Piece], made: Sequence[Performance], samples: int) -> Performance:
    waves = [
        faded(fitted(own.samples, piece.frames * _SAMPLES_PER_FRAME))
        for piece, own in zip(parts, made, strict=True)
        if own.samples is not None
    ]
    wave = fitted(np.concatenate(waves), samples)
    wave = wave * np.float32(min(1.0, PEAK / max(float(np.abs(wave).max(initial=0.0)), 1e-9)))
    motions = [
        cut(own.motion, 0, piece.frames) for piece, own in zip(parts, made, strict=True) if own.motion is not None
    ]
    return Performance(wave, joined_motion(motions) if motions else None)


def fitted(samples: np.ndarray, length: int) -> np.ndarray:
    """Cut [n] to a length, or fill it with silence."""
    return np.pad(samples[:length], (0, max(0, length - len(samples)))).astype(np.float32)


def joined_motion(motions: Sequence[Motion]) -> Motion:
    """One after the other, all of it seen: it was made."""
    mouth = np.concatenate([motion.mouth for motion in motions])
    rest = np.concatenate([motion.rest for motion in motions])
    return Motion(motions[0].space, mouth, rest, np.ones(len(mouth), np.float32))


def offset(progress: Callable[[int, int], None], part: int, parts: int) -> Callable[[int, int], None]:
    """One part's progress as that of all."""
    return lambda done, of: progress(part * of + done, parts * of)
