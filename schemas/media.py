"""What a media file holds. Times are seconds (float), spans are half-open [start_s, end_s)."""

from typing import Self

from pydantic import Field, model_validator

from schemas.value import Value


class TimeSpan(Value):
    """A half-open span [start_s, end_s) of the source's own time line."""

    start_s: float = Field(ge=0)
    end_s: float

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if not self.end_s > self.start_s:
            raise ValueError(f"a span must end after it starts: [{self.start_s}, {self.end_s})")
        return self

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s

    def overlap_s(self, other: "TimeSpan") -> float:
        """Seconds that both spans cover; 0 where they do not meet."""
        return max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))


class VideoStream(Value):
    """One picture stream (cover art left out). Sizes are as coded, before rotation and SAR."""

    index: int
    codec: str
    width: int
    height: int
    frame_rate_hz: float = Field(description="average; the frames' own times rule")
    is_variable_rate: bool
    pixel_format: str
    rotation_deg: int = Field(description="clockwise turn that makes the picture upright: 0, 90, 180, 270")
    sample_aspect_ratio: str
    colour_primaries: str | None
    colour_transfer: str | None
    colour_matrix: str | None
    colour_range: str | None
    start_s: float


class AudioStream(Value):
    """One sound stream."""

    index: int
    codec: str
    sample_rate_hz: int
    channels: int
    channel_layout: str
    language: str | None
    title: str | None
    is_default: bool
    start_s: float


class MediaInfo(Value):
    """The probe result of one file. Time 0 is the container's start; the streams' `start_s` count from there."""

    container: str
    duration_s: float
    size_bytes: int
    video: VideoStream | None
    audio: tuple[AudioStream, ...]
    start_s: float = Field(0.0, description="time stamp of the container's start: subtract it from raw stamps")
