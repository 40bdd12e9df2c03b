"""The clips of GRID as sound with timed words, and as frames with classes. Letters: see words."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from media.audio_io import resample
from models.audio_to_mouth.corpus import decode_audio
from models.audio_to_mouth.features import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from models.corpus.manifest import Entry, read_manifest
from models.grid_words.grammar import SILENCE, class_of
from schemas.errors import RequestError
from schemas.speech import Word


@dataclass(frozen=True)
class Clip:
    """One sentence: sound at 16 kHz [n], its split, its words with the corpus' own times."""

    name: str
    split: str
    samples: np.ndarray
    words: tuple[Word, ...]


def read_corpus(folder: Path, splits: tuple[str, ...] = ("train", "valid", "test")) -> list[Clip]:
    """Read the clips of some splits; `folder` holds `<its name>.jsonl` and the clips that it names.

    Raises:
        RequestError: the folder is no such corpus.
    """
    index = folder / f"{folder.name}.jsonl"
    if not index.is_file():
        raise RequestError(f"{folder} has no {index.name}: name the folder of the GRID clips with --corpus")
    return [_clip(entry) for entry in read_manifest(index) if entry.split in splits]


def classes_of_frames(words: tuple[Word, ...], frames: int, frame_rate_hz: float = FRAME_RATE_HZ) -> np.ndarray:
    """The class of each frame [frames] int64: a word has the frames from round(start * rate) to before its end's."""
    classes = np.full(frames, SILENCE, np.int64)
    for word in words:
        start, end = round(word.span.start_s * frame_rate_hz), round(word.span.end_s * frame_rate_hz)
        classes[start:end] = class_of(word.text)
    return classes


def _clip(entry: Entry) -> Clip:
    samples, sample_rate_hz = decode_audio(entry.file)
    return Clip(entry.id, entry.split, resample(samples, sample_rate_hz, SAMPLE_RATE_HZ), entry.words)
