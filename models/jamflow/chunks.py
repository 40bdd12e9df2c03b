"""Long texts in parts: cut where a clause ends, spoken one by one, joined by cross-fades. Letters: n steps, c channels.

Source: F5-TTS, `chunk_text` and `infer_batch_process` (https://github.com/SWivid/F5-TTS, MIT); the code is our own.
"""

import functools
import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from models.jamflow.duration import positive, size_bytes

LONGEST_S = 22.0  # of the prompt and a chunk together
CROSSFADE_S = 0.15

_CLAUSE_END = re.compile(r"(?<=[;:,.!?])\s+|(?<=[；：，。！？])")


def max_chunk_bytes(prompt_s: float, prompt_text: str, *, speed: float = 1.0) -> int:
    """Say how much text fits beside the prompt into `LONGEST_S`, in UTF-8 bytes; 0: nothing does.

    Args:
        prompt_text: After `prompt.with_full_stop`, without `prompt.with_space`.

    Raises:
        RequestError: `prompt_s` or `speed` is no positive number.
    """
    bytes_per_s = size_bytes(prompt_text) / positive(prompt_s, "the prompt's length in seconds")
    return max(0, int(bytes_per_s * (LONGEST_S - prompt_s) * positive(speed, "the speed")))


def split_text(text: str, max_bytes: int) -> list[str]:
    """Cut a text after clauses into chunks of at most `max_bytes`; a longer clause stays whole.

    A text of white space only is one empty chunk, an empty text is none.
    """
    chunks: list[str] = []
    chunk = ""
    for clause in _CLAUSE_END.split(text):
        if chunk and size_bytes(chunk) + size_bytes(clause) > max_bytes:
            chunks.append(chunk)
            chunk = ""
        # The end of a chunk that is a space already counted in its size.
        chunk += f"{clause} " if clause and clause[-1].isascii() else clause
    return [chunk.strip() for chunk in [*chunks, chunk] if chunk]


def crossfade(
    waves: Sequence[Float[np.ndarray, "_ ..."]], *, fade_s: float, rate_hz: int | float
) -> Float[np.ndarray, "_ ..."]:
    """Join sound [n] or motion [n, c] along time, each with the next by a linear fade.

    A fade is floor(fade_s · rate_hz) steps, or as many as the shorter side has; with none the two are put together
    as they are. The result is shorter than its parts by the fades, so sound and motion stay together only where
    fade_s is a whole number of steps of both.

    Raises:
        ValueError: there is nothing to join.
    """
    if not waves:
        raise ValueError("no waves to join: give at least one")
    fade_steps = int(round(fade_s * rate_hz, 6))  # rounded, because 0.29 · 100 is 28.999…
    joined: np.ndarray = functools.reduce(functools.partial(_join, fade_steps=fade_steps), waves)
    return joined


def _join(left: np.ndarray, right: np.ndarray, *, fade_steps: int) -> np.ndarray:
    steps = min(fade_steps, len(left), len(right))
    if steps <= 0:
        return np.concatenate((left, right))
    rise = np.linspace(0.0, 1.0, steps).reshape(-1, *[1] * (left.ndim - 1)).astype(left.dtype)
    both = left[-steps:] * (1 - rise) + right[:steps] * rise
    return np.concatenate((left[:-steps], both, right[steps:]))
