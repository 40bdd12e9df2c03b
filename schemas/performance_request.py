"""What the commands beside `dub` are asked, and the receipt of what they made."""

from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.artifact import ModelRef
from schemas.consent import ConsentUsed
from schemas.dub import FileRecord, LanguageTag
from schemas.performance import Mode, TakeScore
from schemas.value import Value


class PerformanceRequest(Value):
    """What all commands are asked."""

    out: str = Field(title="Output", description="path or s3:// URL of the file to write")
    seed: int = Field(0, ge=0, lt=2**31, title="Seed")
    commercial: bool = Field(False, title="Commercial use", description="refuse non-commercial weights")
    overwrite: bool = Field(False, title="Overwrite", description="replace an output that is already there")


class VoiceRequest(PerformanceRequest):
    """What commands that speak are asked of the voice: a packaged one, or a recording with consent."""

    voice: str | None = Field(None, title="Voice", description="name of a packaged voice; empty: the first")
    reference: str | None = Field(
        None, title="Reference", description="path or s3:// URL of a recording of the voice to clone"
    )
    reference_text: str | None = Field(None, title="Reference text", description="what it says; empty: recognised")
    consent: str | None = Field(None, title="Consent", description="path or s3:// URL of the consent record (JSON)")
    takes: int = Field(2, ge=1, le=16, title="Takes", description="tries, of which the best is used")


class SpeakRequest(VoiceRequest):
    """Speech, and the mouth that belongs to it, from a text."""

    text: str = Field(min_length=1, title="Text")
    language: LanguageTag = Field("en", title="Language", description="BCP-47 tag of the text")
    motion_out: str | None = Field(
        None, title="Motion", description="path or s3:// URL for the mouth's motion (safetensors)"
    )
    duration_s: float | None = Field(None, gt=0, le=600, title="Duration", description="seconds; empty: natural")


class RevoiceRequest(VoiceRequest):
    """Speech from a video's mouth alone."""

    video: str = Field(title="Video", description="path or s3:// URL of a video in which a face speaks")
    reference_language: LanguageTag = Field("en", title="Reference's language")


class LipsyncRequest(PerformanceRequest):
    """New lips for a video's face, from a sound."""

    video: str = Field(title="Video", description="path or s3:// URL of a video with a face")
    audio: str = Field(title="Sound", description="path or s3:// URL of speech as long as the video")


class AnimateRequest(VoiceRequest):
    """A portrait brought to speech by a sound, or by a text in a voice."""

    portrait: str = Field(title="Portrait", description="path or s3:// URL of a picture with one face")
    audio: str | None = Field(None, title="Sound", description="path or s3:// URL of what it says; or give a text")
    text: str | None = Field(None, min_length=1, title="Text", description="what it says; or give a sound")
    language: LanguageTag = Field("en", title="Language", description="BCP-47 tag of the text")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.audio is None) == (self.text is None):
            raise ValueError("say what the portrait says once: a sound, or a text")
        if self.audio is not None and (self.voice or self.reference or self.reference_text or self.consent):
            raise ValueError("a sound has its voice already: give voice, reference and consent with a text")
        if self.text is not None and not self.text.strip():
            raise ValueError("there is no text to speak: give at least a word")
        return self


AnyRequest = SpeakRequest | RevoiceRequest | LipsyncRequest | AnimateRequest


class PerformanceReceipt(Value):
    """What one command made, from what, by which weights under which licence, with which measured quality."""

    schema_version: Literal[1] = 1
    jamdub_version: str
    run_id: str
    created_at: str
    synthetic_media: Literal[True] = True
    command: Literal["speak", "revoice", "lipsync", "animate"]
    request: AnyRequest
    mode: Mode
    inputs: tuple[FileRecord, ...]
    outputs: tuple[FileRecord, ...]
    models: tuple[ModelRef, ...]
    voice: str | None = None
    consent: ConsentUsed | None = None
    takes: tuple[TakeScore, ...] = Field((), description="all takes that were tried, the one used first")
    duration_s: float
    seen_share: float | None = Field(None, description="of the video in which the mouth is seen")
    frames_rendered: int | None = None
    frames_skipped: int | None = Field(None, description="frames without a usable face: left untouched")
    stage_wall_s: dict[str, float]
    warnings: tuple[str, ...] = ()


class PerformanceResult(Value):
    """Where the outputs of a command are."""

    out: str
    receipt: str
    files: tuple[str, ...]
    warnings: tuple[str, ...]
