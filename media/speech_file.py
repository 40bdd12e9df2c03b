"""Sound files for people: any recording read onto mono samples, speech written with a notice in its metadata."""

from pathlib import Path, PurePosixPath

import numpy as np

from media.audio_io import audio_bytes
from media.tools import Tools, input_name, input_pipe, run_ffmpeg
from schemas.errors import RequestError

_CODERS = {".wav": ("pcm_s16le", "wav"), ".flac": ("flac", "flac")}


def check_speech_suffix(out: str) -> None:
    """Raises: RequestError, where no speech can be written under this name."""
    if PurePosixPath(out).suffix.lower() not in _CODERS:
        raise RequestError(f"{out}: speech is written as {' or '.join(_CODERS)}; choose such a name for --out")


def write_speech(path: Path, samples: np.ndarray, sample_rate_hz: int, comment: str, tools: Tools) -> None:
    """Write mono samples [n] at 16 bits, with a comment that players show.

    Raises: StorageError where the disk is full; ToolError where ffmpeg fails.
    """
    coder, container = _CODERS[path.suffix.lower()]
    wav = audio_bytes(samples, sample_rate_hz)
    sound = ["-c:a", coder, "-sample_fmt", "s16", "-metadata", f"comment={comment}"]
    target = ["-fflags", "+bitexact", "-f", container, input_name(path)]
    run_ffmpeg(tools, [*input_pipe("wav"), *sound, *target], stdin=wav, writes_to=path)
