"""Who says what, when; and what the dub shall say instead."""

from pydantic import Field

from schemas.media import TimeSpan
from schemas.value import Value


class Word(Value):
    """One recognised word."""

    text: str
    span: TimeSpan
    probability: float = 1.0
    speaker: str | None = None


class Turn(Value):
    """A stretch of one speaker's voice, from diarization."""

    speaker: str
    span: TimeSpan


class Cue(Value):
    """One entry of a user's script, in the order of the file."""

    span: TimeSpan
    text: str
    speaker: str | None = None


class Line(Value):
    """The unit of work below the video: one speaker's utterance.

    `pauses` are the silences of the original inside the line, on the source's time line.
    `target_text` None: no translation was given; the original voice is kept.
    """

    id: str
    speaker: str
    span: TimeSpan
    source_text: str
    target_text: str | None = None
    pauses: tuple[TimeSpan, ...] = ()


class Transcript(Value):
    """What was recognised, before translation."""

    language: str
    lines: tuple[Line, ...]
    words: tuple[Word, ...]
    turns: tuple[Turn, ...] = ()


class Script(Value):
    """The lines to be spoken, in time order."""

    language: str = Field(description="BCP-47 tag of the target texts")
    lines: tuple[Line, ...]
    warnings: tuple[str, ...] = ()
