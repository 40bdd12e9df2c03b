"""The clips of GRID as sound with timed words, and as frames with classes. Letters: see words."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from media.audio_io import resample
from models.audio_to_mouth.corpus import decode_audio
from models.audio_to_mouth.features import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from models.grid_words.grammar import SILENCE, class_of
from schemas.errors import RequestError
from schemas.media import TimeSpan
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
    entries = [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [_clip(folder, entry) for entry in entries if entry["split"] in splits]


def classes_of_frames(words: tuple[Word, ...], frames: int, frame_rate_hz: float = FRAME_RATE_HZ) -> np.ndarray:
    """The class of each frame [frames] int64: a word has the frames from round(start * rate) to before its end's."""
    classes = np.full(frames, SILENCE, np.int64)
    for word in words:
        start, end = round(word.span.start_s * frame_rate_hz), round(word.span.end_s * frame_rate_hz)
        classes[start:end] = class_of(word.text)
    return classes


def _clip(folder: Path, entry: dict[str, object]) -> Clip:
    samples, sample_rate_hz = decode_audio(folder / str(entry["file"]))
    words = entry["words"]
    assert isinstance(words, list)
    return Clip(
        name=str(entry["id"]),
        split=str(entry["split"]),
        samples=resample(samples, sample_rate_hz, SAMPLE_RATE_HZ),
        words=tuple(Word(text=w["word"], span=TimeSpan(start_s=w["start_s"], end_s=w["end_s"])) for w in words),
    )
