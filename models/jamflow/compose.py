"""One clip's material turned into conditions by a mode's row. Letters: n mel frames, m motion frames; b = 1 clip."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.jamflow.audio_dit import AudioGiven
from models.jamflow.conditions import Given
from models.jamflow.config import FRAME_RATE_HZ, MEL_BANDS, MotionConfig
from models.jamflow.lengths import common_period, fitted, mel_frames_of, motion_frames_of
from models.jamflow.mel import MEL_FLOOR
from models.jamflow.modes import MODES, Mode, Need
from models.jamflow.motion_dit import MotionGiven
from schemas.errors import MediaError, RequestError
from schemas.media import TimeSpan


@dataclass(frozen=True)
class Voice:
    """A reference voice: its frames come before the clip's, as F5-TTS's prompt does.

    Attributes:
        mel: [n, 100].
        tokens: What it says.
        mouth: [m, mouth] z-scored; None where its face is not known.
    """

    mel: Float[Tensor, "n bands"]
    tokens: tuple[int, ...] = ()
    mouth: Float[Tensor, "m mouth"] | None = None


@dataclass(frozen=True)
class Material:
    """What is at hand for one clip; vectors are z-scored.

    Attributes:
        tokens: The text's ids; None without text.
        voice: The voice to imitate.
        mel: [n, 100] the clip's own sound.
        mouth, rest: [m, ...] the clip's own motion.
        visible: [m] where the face is seen; None: everywhere.
        hidden_audio, hidden_mouth: Spans of a partly given stream that are to be generated.
        mel_frames: How long the clip is, where neither sound nor motion says so.
    """

    tokens: tuple[int, ...] | None = None
    voice: Voice | None = None
    mel: Float[Tensor, "n bands"] | None = None
    mouth: Float[Tensor, "m mouth"] | None = None
    rest: Float[Tensor, "m rest"] | None = None
    visible: Bool[Tensor, " m"] | None = None
    hidden_audio: Sequence[TimeSpan] = ()
    hidden_mouth: Sequence[TimeSpan] = ()
    mel_frames: int | None = None


@dataclass(frozen=True)
class Composed:
    """One clip's conditions, and how many frames of each stream belong to the voice before it."""

    given: Given
    voice_mel_frames: int
    voice_motion_frames: int


def compose(name: str, material: Material, motion: MotionConfig) -> Composed:
    """Turn material into conditions by the table's row `name`.

    Raises:
        RequestError: An unknown mode; something it needs is missing, or given and not taken; a span outside the clip.
        LengthMismatch: Sound and motion do not last equally long.
        MediaError: The mouth is to be followed and is never seen.
    """
    if name not in MODES:
        raise RequestError(f"unknown mode {name!r}: choose one of {', '.join(MODES)}")
    mode = MODES[name]
    _check(name, mode, material)
    frames = _mel_frames(material, motion)
    voice_frames, voice_motion = _voice_frames(mode, material.voice, motion)
    audio = _audio(mode, material, frames, voice_frames)
    moving = _motion(name, mode, material, frames, voice_motion, motion) if mode.has_motion else None
    listens = torch.tensor([mode.has_motion])
    return Composed(Given(audio, moving, listens, listens), voice_frames, voice_motion)


def _check(name: str, mode: Mode, material: Material) -> None:
    for what, need, there in (
        ("text", mode.text, material.tokens is not None),
        ("a reference voice", mode.voice, material.voice is not None),
        ("the face's other motion", mode.rest, material.rest is not None),
    ):
        _need(name, what, need, there)
    for stream, is_generated, hidden in (
        ("sound", mode.generates_audio, material.hidden_audio),
        ("mouth", mode.generates_mouth, material.hidden_mouth),
    ):
        if hidden and not is_generated:
            raise RequestError(f"mode {name} generates no {stream}: hide no spans of it, or choose another mode")
    mouth = _stream_need(mode.generates_mouth, material.hidden_mouth, mode.has_motion)
    _need(name, "the mouth's motion", mouth, material.mouth is not None)
    _need(name, "sound", _stream_need(mode.generates_audio, material.hidden_audio, True), material.mel is not None)


def _stream_need(is_generated: bool, hidden: Sequence[TimeSpan], exists: bool) -> Need:
    """A given stream is needed whole; one to be generated is taken only with hidden spans."""
    if not exists or (is_generated and not hidden):
        return Need.REFUSED
    return Need.REQUIRED


def _need(name: str, what: str, need: Need, is_there: bool) -> None:
    if need is Need.REQUIRED and not is_there:
        raise RequestError(f"mode {name} needs {what}: give it, or choose another mode")
    if need is Need.REFUSED and is_there:
        raise RequestError(f"mode {name} does not take {what}: leave it out, or hide the spans to be generated")


def _mel_frames(material: Material, motion: MotionConfig) -> int:
    """Length of the clip without its voice."""
    moved = material.mouth if material.mouth is not None else material.rest
    if material.mel is not None:
        return len(material.mel)
    if moved is not None:
        return mel_frames_of(len(moved), motion.mel_frames)
    if not material.mel_frames or material.mel_frames < 1:
        raise RequestError("nothing says how long the clip is: give its duration")
    return material.mel_frames


def _voice_frames(mode: Mode, voice: Voice | None, motion: MotionConfig) -> tuple[int, int]:
    """Frames of the voice in both streams: beside motion its sound fills whole motion frames."""
    if voice is None:
        return 0, 0
    if not mode.has_motion:
        return len(voice.mel), 0
    period = common_period(motion.mel_frames)
    frames = -(-len(voice.mel) // period) * period
    return frames, motion_frames_of(frames, motion.mel_frames)


def _audio(mode: Mode, material: Material, frames: int, voice_frames: int) -> AudioGiven:
    mel = torch.full((voice_frames + frames, MEL_BANDS), MEL_FLOOR)  # silence fills the voice up
    known = torch.zeros(len(mel), dtype=torch.bool)
    tokens = material.tokens or ()
    if material.voice is not None:
        mel[: len(material.voice.mel)] = material.voice.mel
        known[:voice_frames] = True
        tokens = material.voice.tokens + tokens
    if material.mel is not None:
        mel[voice_frames:] = material.mel
        known[voice_frames:] = ~_hidden(material.hidden_audio, frames, FRAME_RATE_HZ)
    return AudioGiven(
        mel=mel[None],
        known=known[None],
        tokens=torch.tensor([tokens], dtype=torch.long).reshape(1, -1),
        has_text=torch.tensor([material.tokens is not None]),
        lengths=torch.tensor([len(mel)]),
        is_generated=torch.tensor([mode.generates_audio]),
    )


def _motion(
    name: str, mode: Mode, material: Material, frames: int, voice_frames: int, config: MotionConfig
) -> MotionGiven:
    total = voice_frames + motion_frames_of(frames, config.mel_frames)
    mouth, rest = torch.zeros(total, config.mouth), torch.zeros(total, config.rest)
    mouth_known, rest_known = (torch.zeros(total, dtype=torch.bool) for _ in range(2))
    own = slice(voice_frames, total)
    visible = _visible(material, frames, config)
    if material.voice is not None and material.voice.mouth is not None:
        seen = fitted(material.voice.mouth, len(material.voice.mel), config.mel_frames)
        mouth[: len(seen)], mouth_known[: len(seen)] = seen, True
    if material.mouth is not None:
        mouth[own] = fitted(material.mouth, frames, config.mel_frames)
        mouth_known[own] = visible & ~_hidden(material.hidden_mouth, len(visible), FRAME_RATE_HZ / config.mel_frames)
        if not visible.any():
            raise MediaError(f"mode {name}: the face is seen in none of {len(visible)} frames: use a mode without it")
    if material.rest is not None:
        rest[own], rest_known[own] = fitted(material.rest, frames, config.mel_frames), visible
    return MotionGiven(
        mouth=mouth[None],
        mouth_known=mouth_known[None],
        rest=rest[None],
        rest_known=rest_known[None],
        lengths=torch.tensor([total]),
        is_generated=torch.tensor([mode.generates_mouth]),
    )


def _visible(material: Material, frames: int, config: MotionConfig) -> Bool[Tensor, " m"]:
    if material.visible is None:
        return torch.ones(motion_frames_of(frames, config.mel_frames), dtype=torch.bool)
    return fitted(material.visible, frames, config.mel_frames)


def _hidden(spans: Sequence[TimeSpan], frames: int, rate_hz: float) -> Bool[Tensor, " n"]:
    """The frames that a span touches."""
    hidden = torch.zeros(frames, dtype=torch.bool)
    for span in spans:
        first, last = math.floor(span.start_s * rate_hz + 1e-6), math.ceil(span.end_s * rate_hz - 1e-6)
        if last > frames + 1:
            raise RequestError(
                f"the hidden span {span.start_s:g} to {span.end_s:g} s leaves the clip, which lasts "
                f"{frames / rate_hz:.2f} s: end it there"
            )
        hidden[first:last] = True
    return hidden
