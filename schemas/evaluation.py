"""What is evaluated, and what came of it."""

from typing import Literal

from pydantic import Field

from schemas.value import Value

Unit = Literal["share", "ms", "r", "z", "1 to 5", "cosine"]


class SystemFolder(Value):
    """Outputs of another system: CLIP.wav and, for mouths, CLIP.safetensors (a stored motion) for clips it made."""

    name: str = Field(min_length=1, pattern=r"^[\w .+-]+$")
    path: str


class EvaluationRequest(Value):
    """An evaluation over the clips of a manifest.

    `trials` are names of models.evaluation.trials.TRIALS; none: all. `clips`: at most so many; None: all.
    """

    manifest: str
    language: str | None = None
    picture_late_s: float | None = Field(None, ge=-1, le=1, description="of the films; None: as the manifest says")
    split: str = "test"
    clips: int | None = Field(None, ge=1)
    voice_split: str = Field("train", description="of the clips that are taken as reference voices")
    trials: tuple[str, ...] = ()
    systems: tuple[SystemFolder, ...] = ()
    steps: int = Field(16, ge=1, le=128)
    guidance: float = Field(2.0, ge=0, le=10)
    seed: int = Field(0, ge=0)
    out: str


class ClipScores(Value):
    """One clip's measures by name; those that do not apply are absent.

    `aperture`: of the mouth that was made, z-scored, at 25 fps; empty where none was.
    """

    clip: str
    text: str
    values: dict[str, float]
    aperture: tuple[float, ...] = ()


class Measure(Value):
    """Of n clips: mean, median, and the bootstrap 95 % interval of the mean."""

    n: int
    mean: float
    median: float
    low: float
    high: float


class EvaluationRow(Value):
    """One system or trial over all clips."""

    name: str
    about: str
    clips: tuple[ClipScores, ...]
    measures: dict[str, Measure]
    seconds_per_second: float | None = Field(
        None, description="processor seconds for a second made; None: not made here"
    )


class EvaluationReport(Value):
    """All rows, and what they were made with."""

    schema_version: Literal[1] = 1
    jamdub_version: str
    synthetic_media: Literal[True] = True
    request: EvaluationRequest
    weights: str
    weights_sha256: str
    rows: tuple[EvaluationRow, ...]
