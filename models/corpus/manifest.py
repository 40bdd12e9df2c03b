"""A corpus: a folder of clips and a JSONL file that says of each who says what, and when."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.corpus.phones import TimedPhone
from schemas.errors import RequestError
from schemas.media import TimeSpan
from schemas.speech import Word

MOST_LATE_S = 1.0
"""Between picture and sound, in a film that can be learned from."""


@dataclass(frozen=True)
class Entry:
    """One clip of a corpus.

    Attributes:
        file: Sound, or a film of one face.
        has_face: Whether it is a film.
        phones, words: On the clip's clock; empty where the corpus does not say.
        first_good_frame: Pictures before it show nothing.
        picture_late_s: How long after its sound the picture is seen; below 0, before it.
    """

    id: str
    file: Path
    speaker: str
    language: str
    split: str
    text: str
    has_face: bool
    phones: tuple[TimedPhone, ...]
    words: tuple[Word, ...]
    first_good_frame: int
    picture_late_s: float = 0.0


def read_manifest(
    index: Path, *, language: str | None = None, picture_late_s: float | None = None
) -> tuple[Entry, ...]:
    """Read an index; files are relative to its folder.

    Args:
        language, picture_late_s: What is truer of all its clips than what it says.

    Raises:
        RequestError: It cannot be read, or a line lacks something; the error names both.
    """
    try:
        lines = index.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise RequestError(f"{index} cannot be read ({error.strerror}): name the JSONL file of a corpus") from error
    truer: dict[str, Any] = {"language": language, "picture_late_s": picture_late_s}
    known = {name: value for name, value in truer.items() if value is not None}
    read = (_entry(index, number, line) for number, line in enumerate(lines, 1) if line.strip())
    return tuple(replace(entry, **known) for entry in read)


def _entry(index: Path, number: int, line: str) -> Entry:
    try:
        values: Mapping[str, Any] = json.loads(line)
        return Entry(
            id=values["id"],
            file=_inside(index.parent, values["file"]),
            speaker=str(values["speaker"]),
            language=values["language"],
            split=values.get("split", "train"),
            text=values["text"],
            has_face="fps" in values,
            phones=tuple(TimedPhone(*phone) for phone in values.get("phones", ())),
            words=tuple(
                Word(text=word["word"], span=TimeSpan(start_s=word["start_s"], end_s=word["end_s"]))
                for word in values.get("words", ())
            ),
            first_good_frame=values.get("first_good_frame", 0),
            picture_late_s=_lateness_s(values.get("picture_late_s", 0.0)),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        wrong = error.errors()[0]["msg"] if isinstance(error, ValidationError) else repr(error)
        raise RequestError(f"{index}, line {number}: {wrong}; see docs/training.md for what a line holds") from error


def _lateness_s(value: float) -> float:
    if not -MOST_LATE_S <= value <= MOST_LATE_S:
        raise ValueError(f"picture_late_s is {value}: give seconds, from -{MOST_LATE_S:g} to {MOST_LATE_S:g}")
    return float(value)


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"{name} leaves the corpus")
    return path
