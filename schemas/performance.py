"""What the joint model is asked to perform, in whose voice, and how well each take of it came out."""

from typing import Literal

from pydantic import Field

from schemas.artifact import ArtifactRef
from schemas.value import Value

Mode = Literal["dub", "reanimate", "lipsync", "animate", "speak", "revoice", "read"]


class PhoneSpan(Value):
    """A phone and when it is said, in seconds from the start of its recording."""

    phone: str
    start_s: float = Field(ge=0)
    end_s: float


class ReferenceVoice(Value):
    """The recording that a voice is imitated from.

    `own`: the actor's, out of the source; `given`: a recording that the user gave; `packaged`: shipped with the model.
    """

    name: str
    origin: Literal["own", "given", "packaged"]
    audio: ArtifactRef = Field(description="mono float WAV at 24 kHz, raised to the level the model knows")
    duration_s: float
    phones: tuple[PhoneSpan, ...] = ()
    motion: ArtifactRef | None = Field(None, description="the speaker's face over the same time, where it is seen")


class ModeChoice(Value):
    """A mode of the joint model, and in a few words why this one."""

    mode: Mode
    reason: str


class LineMotion(Value):
    """The face that speaks a line, from the line's start on at 25 fps; None: no face was seen speaking it."""

    line_id: str
    motion: ArtifactRef | None
    seen_share: float = Field(ge=0, le=1, description="of the line's own time in which the mouth is seen")


class TakeScore(Value):
    """How well one take came out; None: not measured here. Errors are found minus asked, in seconds."""

    seed: int
    wer: float | None = Field(None, ge=0, le=1, description="of the repository's recogniser on the take alone")
    onset_error_s: float | None = Field(None, description="None: no speech was found")
    offset_error_s: float | None = Field(None, description="None: no speech was found")
    mouth_r: float | None = Field(
        None, ge=-1, le=1, description="opening that the sound suggests against the one that is seen; lips kept only"
    )
    cost: float = Field(ge=0, le=1, description="what takes are ranked by: models.performer.rank")
