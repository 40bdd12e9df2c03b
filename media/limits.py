"""Refuse files that are too large for this set-up by what their headers say, before anything of them is decoded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from media.stream_info import ratio
from schemas.errors import MediaError
from schemas.settings import Settings

_HIGHEST_SAMPLE_RATE_HZ = 768_000  # of the fastest converters; above it, a header lies


def check_size(path: Path, size_bytes: int, limits: Settings) -> None:
    """Raises: MediaError where the file has more bytes than this set-up accepts."""
    if size_bytes > limits.max_upload_bytes:
        raise MediaError(
            f"{path} has {size_bytes} bytes, the limit is {limits.max_upload_bytes}: cut it or code it smaller, "
            "or raise JAMDUB_MAX_UPLOAD_BYTES"
        )


def check_header(raw: Mapping[str, Any], path: Path, limits: Settings) -> None:
    """Check what ffprobe says of streams, pictures and sounds; cover art and attachments count too.

    Raises: MediaError.
    """
    streams = raw.get("streams", [])
    if len(streams) > limits.max_streams:
        raise MediaError(
            f"{path} holds {len(streams)} streams, the limit is {limits.max_streams}: keep the ones you need, "
            "or raise JAMDUB_MAX_STREAMS"
        )
    for stream in streams:
        if stream.get("codec_type") == "video":
            _check_picture(stream, path, limits)
        elif stream.get("codec_type") == "audio":
            _check_sound(stream, path, limits)


def check_duration(duration_s: float, path: Path, limits: Settings) -> None:
    """Raises: MediaError where the file lasts longer than this set-up accepts."""
    if not 0 <= duration_s <= limits.max_duration_s:
        raise MediaError(
            f"{path} lasts {duration_s:.0f} s, the limit is {limits.max_duration_s:.0f} s: cut it, "
            "or raise JAMDUB_MAX_DURATION_S"
        )


def _check_picture(stream: Mapping[str, Any], path: Path, limits: Settings) -> None:
    width, height = int(stream.get("width", 0)), int(stream.get("height", 0))
    if width * height > limits.max_pixels:
        raise MediaError(
            f"{path} holds a picture of {width}x{height} (stream {stream['index']}), the limit is {limits.max_pixels} "
            "pixels: scale it down, or raise JAMDUB_MAX_PIXELS"
        )
    rate_hz = ratio(stream.get("avg_frame_rate"))
    if rate_hz > limits.max_frame_rate_hz:
        raise MediaError(
            f"{path} claims {rate_hz:g} frames a second, the limit is {limits.max_frame_rate_hz:g}: convert it to a "
            "usual rate, or raise JAMDUB_MAX_FRAME_RATE_HZ"
        )


def _check_sound(stream: Mapping[str, Any], path: Path, limits: Settings) -> None:
    channels, rate_hz = int(stream.get("channels", 0)), int(stream.get("sample_rate", 0))
    if channels > limits.max_channels:
        raise MediaError(
            f"{path} holds a sound of {channels} channels (stream {stream['index']}), the limit is "
            f"{limits.max_channels}: mix it down, or raise JAMDUB_MAX_CHANNELS"
        )
    if rate_hz > _HIGHEST_SAMPLE_RATE_HZ:
        raise MediaError(f"{path} claims {rate_hz} Hz (stream {stream['index']}), which no recorder makes: convert it")
