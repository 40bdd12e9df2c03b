"""One performance by the joint model: what is given decides what is made.

Letters: n samples at 24 kHz, m motion frames.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from models.corpus.phones import TimedPhone, phone_vocabulary
from models.corpus.placing import frame_ids
from models.jamflow.checkpoint import Loaded
from models.jamflow.compose import Material, Voice, compose
from models.jamflow.config import FRAME_RATE_HZ, HOP_SAMPLES, SAMPLE_RATE_HZ
from models.jamflow.generate import Decode, Sampling, decoded, generate
from models.jamflow.lengths import common_period
from models.jamflow.mel import mel_spectrogram
from models.jamflow.modes import MODES
from models.jamflow.sampler import Guidance
from models.jamflow.schedule import swayed, uniform_grid
from models.motion import Motion

STEPS = 16


@dataclass(frozen=True)
class Reference:
    """A voice to imitate, as it was recorded.

    Attributes:
        samples: Mono [n] at 24 kHz.
        phones: What it says, from 0 to its end.
        motion: Its face over the same time, where it is known.
    """

    samples: np.ndarray
    phones: tuple[TimedPhone, ...]
    motion: Motion | None = None


@dataclass(frozen=True)
class Part:
    """What is to be performed.

    Attributes:
        mode: A row of models.jamflow.modes.
        phones: The text on the clock of the performance, from 0 to its end; None without text.
        reference: The voice.
        samples: Its sound, mono [n] at 24 kHz, where a mode is given it (lipsync, animate).
        motion: Its face: the mouth where a mode is given it (dub, revoice), what else moves where it may be used.
        duration_s: How long it lasts, where neither sound nor motion says so.
    """

    mode: str
    phones: tuple[TimedPhone, ...] | None = None
    reference: Reference | None = None
    samples: np.ndarray | None = None
    motion: Motion | None = None
    duration_s: float | None = None


@dataclass(frozen=True)
class Performance:
    """What was made: mono float32 [n] at 24 kHz, None where sound was given; motion, None where it was given."""

    samples: np.ndarray | None
    motion: Motion | None


def usual_sampling(steps: int = STEPS, guidance: float = 2.0) -> Sampling:
    """Swayed Euler steps, the same guidance for both streams."""
    return Sampling(swayed(uniform_grid(steps), -1.0), guidance=Guidance(guidance, guidance))


def perform(
    joint: Loaded,
    decode: Decode,
    part: Part,
    sampling: Sampling,
    *,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Performance:
    """Make what a part asks for; equal calls give equal results.

    Args:
        joint: A checkpoint that reads phones.
        decode: Its vocoder.
        progress: Told how many evaluations of how many are done.

    Raises:
        RequestError: The mode needs something that is not given, or is given something that it does not take.
        LengthMismatch: Sound and motion do not last equally long.
        MediaError: The mouth is to be followed and is never seen.
    """
    composed = compose(part.mode, material(part, joint.model.config.motion.mel_frames), joint.model.config.motion)
    made = generate(joint.model, composed, sampling, seed=seed, progress=progress)
    mode = MODES[part.mode]
    samples = decoded(decode, made.audio) if mode.generates_audio and made.audio is not None else None
    space = joint.description.motion_space
    motion = Motion.of_mouth(space, made.motion.numpy()) if mode.generates_mouth and made.motion is not None else None
    return Performance(samples, motion)


def material(part: Part, mel_per_motion: float) -> Material:
    """What a part gives, in the model's terms: mel frames, z-scores, the phone of each mel frame."""
    mode = MODES[part.mode]
    mouth, rest, visible = (None, None, None) if part.motion is None else _moving(part.motion)
    mel = None if part.samples is None else _mel(part.samples)
    if mode.generates_mouth:
        mouth = None
    frames = len(mel) if mel is not None else _frames(part, mel_per_motion)
    voice = None if part.reference is None else _voice(part.reference, mode.has_motion, mel_per_motion)
    return Material(
        tokens=None if part.phones is None else _tokens(part.phones, frames),
        voice=voice,
        mel=mel,
        mouth=mouth,
        rest=rest if mode.has_motion else None,
        visible=visible if mode.has_motion else None,
        mel_frames=frames,
    )


def _frames(part: Part, mel_per_motion: float) -> int:
    """Mel frames of the performance: as many as its motion lasts, else its duration in whole motion frames."""
    if part.motion is not None and MODES[part.mode].has_motion:
        return round(len(part.motion.mouth) * mel_per_motion)
    if part.duration_s is None:
        return 0  # compose says what is missing
    period = common_period(mel_per_motion)
    return -(-round(part.duration_s * FRAME_RATE_HZ) // period) * period


def _tokens(phones: tuple[TimedPhone, ...], frames: int) -> tuple[int, ...]:
    ids = np.array(phone_vocabulary().ids(phone.phone for phone in phones))
    edges_s = np.array([phone.start_s for phone in phones] + [phones[-1].end_s])
    return tuple(frame_ids(ids, edges_s, frames, FRAME_RATE_HZ).tolist())


def _voice(reference: Reference, has_motion: bool, mel_per_motion: float) -> Voice:
    """Beside motion, whole motion frames of sound: phones lie by frame, so nothing may be filled up later."""
    mel = _mel(reference.samples)
    period = common_period(mel_per_motion) if has_motion else 1
    mel = mel[: max(period, len(mel) // period * period)]
    mouth = None if reference.motion is None or not has_motion else _moving(reference.motion)[0]
    if mouth is not None:
        mouth = mouth[: round(len(mel) / mel_per_motion)]
    return Voice(mel, _tokens(reference.phones, len(mel)) if reference.phones else (), mouth)


def _mel(samples: np.ndarray) -> torch.Tensor:
    """Mel frames of whole hops: one for every 256 samples."""
    wave = torch.from_numpy(np.ascontiguousarray(samples, np.float32))
    return mel_spectrogram(wave[None])[0, : max(1, round(len(samples) / HOP_SAMPLES))]


def _moving(motion: Motion) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]:
    mouth, rest = (torch.from_numpy(np.ascontiguousarray(array, np.float32)) for array in motion.z_scored())
    return mouth, rest if rest.shape[1] else None, torch.from_numpy(motion.visible > 0.5)


def duration_s_of(performance: Performance) -> float:
    """How long it lasts."""
    if performance.samples is not None:
        return len(performance.samples) / SAMPLE_RATE_HZ
    assert performance.motion is not None
    return len(performance.motion.mouth) / performance.motion.space.fps
