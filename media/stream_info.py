"""What ffprobe says of one stream, as values of `schemas.media`."""

from collections.abc import Mapping
from typing import Any

from schemas.media import AudioStream, VideoStream


def is_picture(stream: Mapping[str, Any]) -> bool:
    """Whether a stream is moving picture: cover art and thumbnails are not."""
    disposition = stream.get("disposition", {})
    is_still = disposition.get("attached_pic") or disposition.get("timed_thumbnails")
    return stream.get("codec_type") == "video" and not is_still


def video_stream(raw: Mapping[str, Any], container_start_s: float, intervals_vary: bool) -> VideoStream:
    """Describe a picture stream; `intervals_vary` says what its packets show beyond its rates."""
    average_hz, nominal_hz = ratio(raw.get("avg_frame_rate")), ratio(raw.get("r_frame_rate"))
    return VideoStream(
        index=raw["index"],
        codec=raw.get("codec_name", "unknown"),
        width=raw.get("width", 0),
        height=raw.get("height", 0),
        frame_rate_hz=average_hz or nominal_hz,
        is_variable_rate=abs(average_hz - nominal_hz) > 1e-3 * nominal_hz or intervals_vary,
        pixel_format=raw.get("pix_fmt", "unknown"),
        rotation_deg=_rotation_deg(raw),
        sample_aspect_ratio=_known(raw.get("sample_aspect_ratio")) or "1:1",
        colour_primaries=_known(raw.get("color_primaries")),
        colour_transfer=_known(raw.get("color_transfer")),
        colour_matrix=_known(raw.get("color_space")),
        colour_range=_known(raw.get("color_range")),
        start_s=_start_s(raw, container_start_s),
    )


def audio_stream(raw: Mapping[str, Any], container_start_s: float) -> AudioStream:
    """Describe a sound stream."""
    tags = {name.lower(): value for name, value in raw.get("tags", {}).items()}
    channels = int(raw.get("channels", 0))
    layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")
    return AudioStream(
        index=raw["index"],
        codec=raw.get("codec_name", "unknown"),
        sample_rate_hz=int(raw.get("sample_rate", 0)),
        channels=channels,
        channel_layout=_known(raw.get("channel_layout")) or layout,
        language=None if tags.get("language") in (None, "und") else tags["language"],
        title=tags.get("title") or _handler_title(tags.get("handler_name")),
        is_default=bool(raw.get("disposition", {}).get("default")),
        start_s=_start_s(raw, container_start_s),
    )


def _handler_title(handler: str | None) -> str | None:
    # mp4 keeps a track's title as the name of its handler; encoders put their own name there.
    is_title = handler is not None and not any(mark in handler.lower() for mark in ("handler", "media", "gpac"))
    return handler if is_title and handler else None


def _rotation_deg(raw: Mapping[str, Any]) -> int:
    # ffprobe gives the display matrix's turn counter-clockwise.
    for side_data in raw.get("side_data_list", []):
        if "rotation" in side_data:
            return round(-float(side_data["rotation"]) / 90) * 90 % 360
    return 0


def _start_s(raw: Mapping[str, Any], container_start_s: float) -> float:
    start_s = seconds(raw.get("start_time"))
    return 0.0 if start_s is None else round(start_s - container_start_s, 6)


def seconds(text: str | None) -> float | None:
    """Read a time as ffprobe writes it; None where it does not know."""
    return None if text in (None, "N/A") else float(str(text))


def _known(text: str | None) -> str | None:
    return None if text in (None, "unknown", "unspecified", "N/A", "0:1") else text


def ratio(text: str | None) -> float:
    """Read a rate such as 30000/1001; 0 where it is not known."""
    numerator, _, denominator = (text or "0/0").partition("/")
    return float(numerator) / float(denominator) if float(denominator or 0) else 0.0
