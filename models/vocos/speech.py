"""Speech of many files as one file of samples, decoded once. Letters: n samples, at 24 kHz.

speech.i16    the samples of all clips, 16 bits each, one clip after the other
speech.jsonl  of each clip: id, source, samples
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from media.audio_io import resample
from models.audio_to_mouth.corpus import decode_audio
from models.jamflow.config import SAMPLE_RATE_HZ
from schemas.errors import RequestError

SAMPLES_FILE, INDEX_FILE = "speech.i16", "speech.jsonl"
_FULL_SCALE = 32767


@dataclass(frozen=True)
class Recording:
    """A file of speech, and the corpus it is of; `text` is what is said, where that is known."""

    id: str
    source: str
    file: Path
    text: str


@dataclass(frozen=True)
class SpeechBank:
    """Clips one after the other.

    Attributes:
        samples: [n] int16, on the disk.
        edges: [clips + 1] where each begins; the last is the end.
    """

    samples: np.ndarray
    edges: np.ndarray

    def clip(self, number: int) -> np.ndarray:
        """Samples [n] float32 of a clip, from -1 to 1."""
        return self._read(self.edges[number], self.edges[number + 1])

    def crops(self, count: int, samples: int, rng: np.random.Generator) -> np.ndarray:
        """Draw crops [count, samples], every place of every clip as likely; a shorter clip is followed by silence."""
        clips = np.searchsorted(self.edges, rng.integers(self.edges[-1], size=count), side="right") - 1
        drawn = np.zeros((count, samples), np.float32)
        for crop, clip in zip(drawn, clips, strict=True):
            begin, end = self.edges[clip], self.edges[clip + 1]
            start = begin + rng.integers(max(0, end - begin - samples) + 1)
            piece = self._read(start, min(end, start + samples))
            crop[: len(piece)] = piece
        return drawn

    def _read(self, start: int, end: int) -> np.ndarray:
        return self.samples[start:end].astype(np.float32) / _FULL_SCALE


def build_bank(folder: Path, recordings: Iterable[Recording]) -> SpeechBank:
    """Decode what is not in the folder's bank yet and append it; returns the bank of all.

    A run that is cut short goes on after the last whole clip. Clips keep their places, so that a training draws the
    same of them as long as none is added.

    Raises:
        RequestError: There is no recording at all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lengths = _lengths(folder)
    with (folder / SAMPLES_FILE).open("ab") as samples, (folder / INDEX_FILE).open("ab") as index:
        samples.truncate(2 * sum(lengths.values()))
        for recording in recordings:
            key = f"{recording.source}/{recording.id}"
            if key not in lengths:
                decoded = _decoded(recording.file)
                samples.write(decoded.tobytes())
                samples.flush()
                os.fsync(samples.fileno())
                index.write(json.dumps({"id": key, "samples": len(decoded)}).encode() + b"\n")
                index.flush()
                lengths[key] = len(decoded)
    if not sum(lengths.values()):
        raise RequestError(f"there is no speech for {folder}: name folders with speech")
    edges = np.concatenate([[0], np.cumsum(list(lengths.values()))])
    return SpeechBank(np.memmap(folder / SAMPLES_FILE, np.int16, "r", shape=(int(edges[-1]),)), edges)


def _lengths(folder: Path) -> dict[str, int]:
    """Samples of the clips in the index; a last line that is not whole is cut away."""
    path = folder / INDEX_FILE
    written = path.read_bytes() if path.is_file() else b""
    whole = written[: written.rfind(b"\n") + 1]
    if whole != written:
        path.write_bytes(whole)
    entries = [json.loads(line) for line in whole.splitlines()]
    return {entry["id"]: entry["samples"] for entry in entries}


def _decoded(file: Path) -> np.ndarray:
    samples = decode(file)
    return np.round(np.clip(samples, -1, 1) * _FULL_SCALE).astype("<i2")


def decode(file: Path) -> np.ndarray:
    """Mono samples [n] float32 at 24 kHz of the first sound track.

    Raises:
        av.FFmpegError: It cannot be decoded.
    """
    samples, sample_rate_hz = decode_audio(file)
    return resample(samples, sample_rate_hz, SAMPLE_RATE_HZ)
