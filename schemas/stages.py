"""What one stage hands to the next: references to the large, values for the small."""

from pydantic import Field

from schemas.artifact import ArtifactRef, ModelRef
from schemas.dub import LineReport, Lips, Measures, Patch, Take, Voice
from schemas.media import AudioStream, MediaInfo, TimeSpan
from schemas.motion import Faces
from schemas.speech import Line, Script, Transcript
from schemas.value import Value


class Source(Value):
    """The video that came in: its bytes, what it holds, and the sound that is dubbed."""

    video: ArtifactRef
    name: str = Field(description="file name without folder, for people")
    info: MediaInfo
    audio: AudioStream


class Stems(Value):
    """The source's sound in two parts that sum to it; WAV at the source's rate and layout."""

    dialogue: ArtifactRef
    background: ArtifactRef
    null_test_db: float
    model: ModelRef


class SpokenLine(Value):
    """A line with the take that speaks it; take None: the original voice is kept."""

    line: Line
    take: Take | None


class DubMix(Value):
    """The finished sound; WAV of exactly the source's length."""

    audio: ArtifactRef
    dialogue: ArtifactRef
    background: ArtifactRef
    gain_db: float
    integrated_lufs: float | None
    true_peak_dbtp: float | None
    warnings: tuple[str, ...] = ()


class Movie(Value):
    """The finished file, not yet delivered."""

    video: ArtifactRef
    suffix: str
    srt: str
    webvtt: str


class RenderedLine(Value):
    """The re-animated pictures of one line, one patch for each face track it runs through.

    `unseen`: where no face of it could be drawn for long.
    """

    patches: tuple[Patch, ...]
    unseen: tuple[TimeSpan, ...] = ()


def unseen_warnings(unseen: tuple[TimeSpan, ...]) -> tuple[str, ...]:
    """Say where the picture was left as it is, though lips were to be changed."""
    return tuple(
        f"no usable face from {span.start_s:.1f} s to {span.end_s:.1f} s: these frames are left as they are"
        for span in unseen
    )


class Verification(Value):
    """What decoding the finished file again has shown; `curves` is JSON of the lip apertures by line."""

    measures: Measures
    lines: tuple[LineReport, ...]
    curves: ArtifactRef | None
    warnings: tuple[str, ...] = ()


class Products(Value):
    """Everything one run made; faces are None where nobody looked for them, patches where no lips were changed.

    `unseen`: where lips were to be changed, and no face could be drawn for long.
    """

    lips: Lips
    transcript: Transcript
    script: Script
    stems: Stems
    voices: tuple[Voice, ...]
    spoken: tuple[SpokenLine, ...]
    faces: Faces | None
    patches: tuple[Patch, ...] | None
    unseen: tuple[TimeSpan, ...]
    sound: DubMix
    movie: Movie
    checks: Verification

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know before delivery, from every stage."""
        spoken = self._unfollowed if self.lips == "keep" else self._unmoved
        return (*self.script.warnings, *spoken, *self.sound.warnings, *self.checks.warnings)

    @property
    def _unmoved(self) -> tuple[str, ...]:
        """Lips were to be changed: where they were not."""
        faces = self.faces.warnings if self.faces else ()
        if self.faces and self.faces.tracks and self.patches is None:
            faces += ("no face was seen speaking a line: the lips are kept as they are",)
        return faces if self.patches is None else (*faces, *unseen_warnings(self.unseen))

    @property
    def _unfollowed(self) -> tuple[str, ...]:
        """The mouth was to be followed (engine jamflow): which lines could not follow it."""
        return tuple(
            f"{item.line.id} is spoken without following the mouth: {item.take.mode_reason}"
            for item in self.spoken
            if item.take is not None and item.take.mode == "read"
        )


class StageMetrics(Value):
    """What one stage of a run took: tasks that ran, and tasks whose result was there already."""

    stage: str
    ran: int = Field(ge=0)
    cached: int = Field(ge=0)
    wall_s: float = Field(ge=0)
    cpu_s: float = Field(ge=0, description="stages side by side share it")
    bytes_in: int = Field(ge=0, description="of the objects that were given to the tasks that ran")
    bytes_out: int = Field(ge=0, description="of the objects that they made")
