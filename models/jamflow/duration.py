"""How many mel frames to draw for a text, by F5-TTS's rules: as fast as the prompt was spoken, in UTF-8 bytes.

Source: F5-TTS, `infer_batch_process` and `CFM.sample` (https://github.com/SWivid/F5-TTS, MIT); the code is our own.
"""

import math

from models.jamflow.config import HOP_SAMPLES, SAMPLE_RATE_HZ
from schemas.errors import RequestError

SHORT_TEXT_BYTES = 10  # a shorter text is spoken at its own speed
SHORT_TEXT_SPEED = 0.3
LARGEST_FRAMES = 65_536


def duration_frames(
    prompt_samples: int, prompt_text: str, text: str, *, speed: float = 1.0, fixed_s: float | None = None
) -> int:
    """Count the frames of the prompt and the text together.

    The prompt counts here with its whole hops, one frame less than its mel has. A text of 9 bytes gets more frames
    than one of 10: texts below `SHORT_TEXT_BYTES` are spoken at `SHORT_TEXT_SPEED`, whatever `speed` says.

    Args:
        prompt_samples: At 24 kHz.
        prompt_text: As the tokenizer sees it, so with `prompt.with_space`.
        text: What is to be spoken after the prompt.
        speed: 2 speaks twice as fast as the prompt.
        fixed_s: Seconds of the prompt and the text together, in place of the rule.

    Raises:
        RequestError: `speed` or `fixed_s` is no positive number, or the prompt has no text.
    """
    if fixed_s is not None:
        return int(positive(fixed_s, "the fixed duration in seconds") * SAMPLE_RATE_HZ / HOP_SAMPLES)
    if not prompt_text:
        raise RequestError("the prompt has no text, so its speed is unknown: give its transcript or a fixed duration")
    prompt_frames = prompt_samples // HOP_SAMPLES
    speed = SHORT_TEXT_SPEED if size_bytes(text) < SHORT_TEXT_BYTES else positive(speed, "the speed")
    return prompt_frames + int(prompt_frames / size_bytes(prompt_text) * size_bytes(text) / speed)


def sampled_frames(wanted_frames: int, *, prompt_frames: int, text_tokens: int) -> int:
    """Bring a duration to what the sampler draws: room for each token, a frame after the prompt, no endless run.

    Args:
        wanted_frames: As `duration_frames` has it.
        prompt_frames: Of the prompt's mel.
        text_tokens: Of the prompt's text and the text together, without padding.
    """
    return min(max(wanted_frames, prompt_frames + 1, text_tokens + 1), LARGEST_FRAMES)


def size_bytes(text: str) -> int:
    """The UTF-8 length, F5-TTS's measure of how long a text takes to speak."""
    return len(text.encode("utf-8"))


def positive(value: float, name: str) -> float:
    """Return the value.

    Raises:
        RequestError: it is zero, negative or not finite.
    """
    if not 0.0 < value < math.inf:
        raise RequestError(f"{name} is {value}: give a number above 0")
    return value
