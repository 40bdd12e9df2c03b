"""From a composed clip to mel frames and mouth, and from a text of any length to speech and mouth.

Letters: n samples or mel frames, m motion frames.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from models.jamflow.chunks import crossfade, max_chunk_bytes, split_text
from models.jamflow.compose import Composed, Material, Voice, compose
from models.jamflow.conditions import Pair
from models.jamflow.config import FRAME_RATE_HZ, HOP_SAMPLES, SAMPLE_RATE_HZ
from models.jamflow.duration import duration_frames, sampled_frames
from models.jamflow.joint import JamFlow
from models.jamflow.lengths import common_period
from models.jamflow.mel import mel_spectrogram
from models.jamflow.modes import MODES, Mode
from models.jamflow.prompt import raise_loudness, with_full_stop, with_space
from models.jamflow.sampler import USUAL_GUIDANCE, Guidance, Progress, noise_for, sample
from models.jamflow.schedule import EULER, Solver, swayed, uniform_grid
from models.jamflow.tokens import Vocabulary, tokenize
from schemas.errors import RequestError

FADE_S = 0.16
"""Between chunks: 15 mel frames and 4 motion frames at 25 fps, so that both streams stay in step."""

Decode = Callable[[Float[Tensor, "1 n bands"]], Float[Tensor, "1 samples"]]
"""A vocoder: n frames become 256 (n - 1) samples."""


@dataclass(frozen=True)
class Sampling:
    """How to sample; the defaults are F5-TTS's: 32 swayed Euler steps with guidance 2."""

    grid: Tensor
    solver: Solver = EULER
    guidance: Guidance = USUAL_GUIDANCE


def usual_sampling() -> Sampling:
    """32 Euler steps, sway -1, guidance 2 for both streams."""
    return Sampling(swayed(uniform_grid(32), -1.0))


@dataclass(frozen=True)
class Prompt:
    """A reference voice as it was recorded: samples at 24 kHz, and what it says."""

    wave: Float[Tensor, " n"]
    text: str


@dataclass(frozen=True)
class Speech:
    """What was spoken: [n] samples at 24 kHz; [m, mouth] z-scored mouth vectors, None without motion."""

    wave: np.ndarray
    mouth: np.ndarray | None
    chunks: int


def generate(
    model: JamFlow, composed: Composed, sampling: Sampling, *, seed: int, progress: Progress | None = None
) -> Pair[Tensor]:
    """Sample one clip and cut its voice off: mel [n, bands] and mouth [m, mouth]."""
    device = next(model.parameters()).device
    given = composed.given.to(device)
    noise = noise_for(given, model, [seed])
    made = sample(
        model, given, noise, sampling.grid, solver=sampling.solver, guidance=sampling.guidance, progress=progress
    )
    cut = Pair(composed.voice_mel_frames, composed.voice_motion_frames)
    return Pair(*(None if x is None else x[0, own:].cpu() for x, own in zip(made, cut, strict=True)))


def speak(
    model: JamFlow,
    vocabulary: Vocabulary,
    decode: Decode,
    prompt: Prompt,
    text: str,
    sampling: Sampling,
    *,
    mode: Literal["speak", "read"],
    seed: int,
    speed: float = 1.0,
    progress: Progress | None = None,
) -> Speech:
    """Speak a text in a prompt's voice, with the mouth's motion (`speak`) or without (`read`).

    A long text is cut after clauses, spoken in parts by F5-TTS's rules, and joined by cross-fades.

    Raises:
        RequestError: There is no text, or the prompt has none.
        MediaError: The prompt is silent.
    """
    if not text.strip():
        raise RequestError("there is no text to speak: give at least a word")
    wave, gain = raise_loudness(prompt.wave)
    prompt_text = with_full_stop(prompt.text)
    limit = max_chunk_bytes(len(wave) / SAMPLE_RATE_HZ, prompt_text, speed=speed)
    chunks = [chunk for chunk in split_text(text, limit) if chunk]
    mel = mel_spectrogram(wave[None])[0]
    parts = []
    for index, chunk in enumerate(chunks):
        wanted = duration_frames(len(wave), with_space(prompt_text), chunk, speed=speed)
        material = _material(model, vocabulary, mel, with_space(prompt_text), chunk, MODES[mode], wanted)
        composed = compose(mode, material, model.config.motion)
        told = None if progress is None else _offset(progress, index, len(chunks))
        parts.append(generate(model, composed, sampling, seed=seed + index, progress=told))
    waves = [decoded(decode, made.audio) for made in parts if made.audio is not None]
    mouths = [made.motion.numpy() for made in parts if made.motion is not None]
    motion_rate_hz = FRAME_RATE_HZ / model.config.motion.mel_frames
    return Speech(
        wave=gain * crossfade(waves, fade_s=FADE_S, rate_hz=SAMPLE_RATE_HZ),
        mouth=crossfade(mouths, fade_s=FADE_S, rate_hz=motion_rate_hz) if mouths else None,
        chunks=len(chunks),
    )


def _material(
    model: JamFlow, vocabulary: Vocabulary, mel: Tensor, prompt_text: str, text: str, mode: Mode, wanted: int
) -> Material:
    """One chunk after its prompt's mel, `wanted` frames with it; beside motion in whole motion frames."""
    # Prompt and text are cut into tokens together, as in training.
    ids = tuple(vocabulary.ids(tokenize(prompt_text + text)))
    own = sampled_frames(wanted, prompt_frames=len(mel), text_tokens=len(ids)) - len(mel)
    period = common_period(model.config.motion.mel_frames) if mode.has_motion else 1
    return Material(tokens=ids, voice=Voice(mel), mel_frames=-(-own // period) * period)


def decoded(decode: Decode, mel: Float[Tensor, "n bands"]) -> Float[np.ndarray, " samples"]:
    """Frames to HOP_SAMPLES each: a vocoder makes one hop less, so the last frame is held."""
    wave: np.ndarray = decode(torch.cat([mel, mel[-1:]])[None])[0].float().cpu().numpy()
    assert len(wave) == HOP_SAMPLES * len(mel)
    return wave


def _offset(progress: Progress, chunk: int, chunks: int) -> Progress:
    """One chunk's progress as that of all."""
    return lambda done, of: progress(chunk * of + done, chunks * of)
