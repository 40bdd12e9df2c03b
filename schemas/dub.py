"""What is asked for, what one line became, and what came out."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from schemas.artifact import ArtifactRef, ModelRef
from schemas.consent import ConsentUsed
from schemas.media import TimeSpan
from schemas.performance import Mode, ReferenceVoice, TakeScore
from schemas.review import Approval
from schemas.value import Value

Lips = Literal["keep", "reanimate"]
Engine = Literal["cascade", "jamflow"]
VoiceSource = Literal["own", "packaged"]
Profile = Literal["stream-16", "ebu-23"]
LanguageTag = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class DubSettings(Value):
    """How a dub is made: what the dubs of a batch have in common."""

    source_language: LanguageTag | None = Field(None, title="From", description="empty: detected")
    lips: Lips = Field("keep", title="Lips", description="keep the picture, or re-animate the lips")
    speakers: int | None = Field(None, ge=1, le=20, title="Speakers", description="how many; empty: detected")
    engine: Engine = Field("cascade", title="Engine")
    takes: int = Field(
        2, ge=1, le=16, title="Takes", description="engine jamflow: tries of each line, the best is used"
    )
    voice: VoiceSource | None = Field(
        None,
        title="Voice",
        description="engine jamflow: the actor's own (with a consent record) or a packaged one; empty: own if given",
    )
    loudness: Profile = Field("stream-16", title="Loudness profile")
    audio_track: int | None = Field(None, ge=0, title="Audio track", description="empty: the default one")
    review: bool = Field(
        False, title="Review", description="wait for a person's word before lines are spoken and before delivery"
    )
    commercial: bool = Field(False, title="Commercial use", description="refuse non-commercial weights")
    seed: int = Field(0, ge=0, lt=2**31, title="Seed")


class DubRequest(DubSettings):
    """Everything that decides a dub. Renders as the form of the Prefect deployment."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    video: str = Field(title="Video", description="path or s3:// URL of the source video")
    target_language: LanguageTag = Field(alias="to", title="To", description="BCP-47 tag of the dub: es, en, pt-BR")
    script: str | None = Field(
        None,
        title="Script",
        description="your translation, path or s3:// URL: SRT, WebVTT, JSON or CSV; empty: translate",
    )
    consent: str | None = Field(None, title="Consent", description="path or s3:// URL of the consent record (JSON)")
    output_dir: str = Field("dubs", title="Output folder", description="path or s3:// URL")
    overwrite: bool = Field(False, title="Overwrite", description="replace outputs that are already there")

    @property
    def sees_faces(self) -> bool:
        """Whether faces are followed: to change their lips, or to speak as they move."""
        return self.lips == "reanimate" or self.engine == "jamflow"

    @property
    def clones(self) -> bool:
        """Whether speakers are to keep their own voices."""
        return self.voice == "own" or (self.voice is None and self.consent is not None)


class Voice(Value):
    """A speaker's voice for the whole video: a blend of packaged voices (weights sum to 1), or a reference."""

    speaker: str
    blend: tuple[tuple[str, float], ...] = Field((), description="(packaged voice, weight)")
    reference: ReferenceVoice | None = Field(None, description="engine jamflow: the recording that is imitated")
    similarity: float = Field(description="cosine to the original speaker's d-vector, -1 to 1")
    median_f0_hz: float | None = Field(description="of the original speaker")


class Utterance(Value):
    """All that decides how one line is spoken; times are relative to the line's start.

    It names neither the line nor its place in the video, so that an edit elsewhere leaves it unchanged.
    """

    text: str
    language: LanguageTag
    voice: Voice
    duration_s: float = Field(gt=0, description="of the original line: the length to meet")
    room_s: float = Field(ge=0, description="silence after the line that an overlong take may use")
    pauses: tuple[TimeSpan, ...] = ()
    seed: int = 0


class Take(Value):
    """One generated performance of one line.

    `audio` is a mono float WAV at 24 kHz that starts at the line's start; `motion` is a
    `models.motion.Motion` of the mouth over the same time, or None where lips are kept.
    """

    audio: ArtifactRef
    motion: ArtifactRef | None
    engine: Engine
    seed: int
    duration_s: float
    speed: float = Field(description="the model's own speed, 1 = natural")
    stretch: float = Field(description="time compression afterwards, 1 = none, at most 1.08")
    overflow_s: float = Field(ge=0, description="seconds beyond the original line's end")
    unfit_s: float = Field(ge=0, description="seconds beyond the end plus the room: overlaps what follows")
    mode: Mode | None = Field(None, description="engine jamflow: what the joint model was given and made")
    mode_reason: str | None = None
    scores: tuple[TakeScore, ...] = Field(
        (), description="of all takes that were tried, the best, which this is, first"
    )


class Patch(Value):
    """Re-animated pixels of one line on one face track: a lossless crop video and where it goes.

    `frames` are source frame numbers in order; `bounded` counts frames whose opening was limited.
    """

    line_id: str
    track_id: str
    video: ArtifactRef | None
    x: int
    y: int
    width: int
    height: int
    frames: tuple[int, ...]
    bounded: int
    skipped: int = Field(description="frames of the line without a usable face: left untouched")
    aperture: tuple[float, ...] = Field((), description="asked lip aperture of each frame, inter-ocular distances")


class LineReport(Value):
    """One line of the receipt: what was made of it, and the measures."""

    id: str
    speaker: str
    span: TimeSpan
    source_text: str
    target_text: str | None
    heard_text: str | None = None
    voice: str | None = None
    mode: Mode | None = None
    mode_reason: str | None = None
    takes: tuple[TakeScore, ...] = Field((), description="all takes that were tried, the one used first")
    on_screen: bool = False
    speed: float | None = None
    stretch: float | None = None
    overflow_s: float | None = None
    unfit_s: float | None = None
    wer: float | None = None
    onset_error_s: float | None = Field(None, description="positive: the dub is late")
    speaker_similarity: float | None = Field(None, description="to the same speaker's other lines")
    aperture_r: float | None = Field(None, description="asked against re-detected lip aperture")
    aperture_mae: float | None = None
    frames_rendered: int = 0
    frames_bounded: int = 0
    frames_skipped: int = 0
    status: Literal["dubbed", "kept_original"] = "dubbed"


class Measures(Value):
    """Measures of the whole delivery, taken by decoding it again."""

    source_samples: int
    dub_samples: int
    source_frames: int
    dub_frames: int
    integrated_lufs: float | None
    true_peak_dbtp: float | None
    wer: float | None = Field(description="pooled over all lines; None: language not checked")
    onset_error_mean_s: float | None
    onset_error_p95_s: float | None = Field(description="of absolute errors")
    null_test_db: float = Field(description="source minus (dialogue + M&E), relative to the source")
    video_packets_equal: bool | None = Field(description="lips kept: packet hash equals the source's")
    outside_mask_psnr_db: float | None = Field(description="re-animated: picture outside the patches")


class FileRecord(Value):
    """A file that went in or came out."""

    name: str
    sha256: str
    size_bytes: int


class Receipt(Value):
    """What was made, from what, by which weights under which licence, with which measured quality."""

    schema_version: Literal[1] = 1
    jamdub_version: str
    run_id: str
    created_at: str
    synthetic_media: Literal[True] = True
    request: DubRequest
    source_language: str
    inputs: tuple[FileRecord, ...]
    outputs: tuple[FileRecord, ...]
    models: tuple[ModelRef, ...]
    voices: tuple[Voice, ...]
    consent: ConsentUsed | None = Field(None, description="under which a voice was cloned")
    approvals: tuple[Approval, ...] = Field((), description="by whom it was reviewed")
    lines: tuple[LineReport, ...]
    measures: Measures
    stage_wall_s: dict[str, float] = Field(description="seconds by stage; cache hits are absent")
    stage_cpu_s: dict[str, float] = Field(description="CPU seconds by stage; stages side by side share them")
    warnings: tuple[str, ...]


class DubResult(Value):
    """Where the deliverables are."""

    run_id: str
    output_dir: str
    video: str
    receipt: str
    report: str
    warnings: tuple[str, ...]
    tasks_run: int
    tasks_cached: int
    ran: tuple[str, ...] = Field((), description="stages of the tasks that ran, in order")
