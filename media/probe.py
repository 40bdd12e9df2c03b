"""Read what a media file holds, and refuse early what cannot be dubbed."""

import json
import stat
from collections.abc import Mapping
from itertools import islice, pairwise
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any

import av
import ffmpeg

from media.decoder import open_media
from media.tools import READ_OPTIONS, Tools, input_name, last_words
from schemas.errors import MediaError, RequestError, ToolError
from schemas.media import AudioStream, MediaInfo, VideoStream

# These "containers" are lists of other files, or text that libavformat can draw: never a video that a person means.
_NOT_MEDIA = frozenset(
    "hls dash concat imf applehttp ffmetadata tty srt webvtt ass image2 lrc subviewer sami stl microdvd".split()
)
_REASONS = {
    "moov atom not found": "it is no video, or was cut short (it has no index): copy or download it again",
    "Invalid data found": "it is damaged, cut short, or not a media file: check that a player opens it",
    "Permission denied": "it may not be read: change its permissions",
}
_PACKETS_LOOKED_AT = 500
_PROBE_OPTIONS = {READ_OPTIONS[0].lstrip("-"): READ_OPTIONS[1], "show_entries": "stream_side_data=rotation"}


def probe(path: Path, tools: Tools) -> MediaInfo:
    """Describe a file's container and streams, and decode a first frame of each kind.

    Cover art is no video. Times are seconds after the container's start.

    Raises: RequestError where there is no such file; MediaError where it is no readable media.
    """
    size_bytes = _file_size(path)
    raw = _ffprobe(path, tools)
    container = raw.get("format", {}).get("format_name", "")
    streams = raw.get("streams", [])
    video = next((stream for stream in streams if _is_picture(stream)), None)
    audio = [stream for stream in streams if stream.get("codec_type") == "audio"]
    if _NOT_MEDIA & set(container.split(",")) or container.endswith("_pipe") or not (video or audio):
        raise MediaError(f"{path} holds neither picture nor sound (it reads as {container or 'nothing'}): give a video")
    start_s = _seconds(raw["format"].get("start_time")) or 0.0
    info = MediaInfo(
        container=container,
        duration_s=_duration_s(raw, path),
        size_bytes=size_bytes,
        video=None if video is None else _video_stream(video, start_s, path),
        audio=tuple(_audio_stream(stream, start_s) for stream in audio),
        start_s=start_s,
    )
    _check_decodes(path, info)
    return info


def check_limits(info: MediaInfo, path: Path, *, max_duration_s: float, max_pixels: int) -> None:
    """Raises: MediaError where the video is longer or larger than this set-up accepts."""
    if info.duration_s > max_duration_s:
        raise MediaError(
            f"{path} lasts {info.duration_s:.0f} s, the limit is {max_duration_s:.0f} s: cut it, "
            "or raise JAMDUB_MAX_DURATION_S"
        )
    if info.video is not None and info.video.width * info.video.height > max_pixels:
        raise MediaError(
            f"{path} is {info.video.width}x{info.video.height}, the limit is {max_pixels} pixels: scale it down, "
            "or raise JAMDUB_MAX_PIXELS"
        )


def choose_audio(info: MediaInfo, path: Path, track: int | None) -> AudioStream:
    """Pick the audio track to dub: number `track` from 0, else the one marked default, else the first.

    Raises: MediaError where there is no sound; RequestError where there is no such track.
    """
    if not info.audio:
        raise MediaError(f"{path} has no sound, so there is nothing to dub: give a video with speech")
    if track is None:
        return next((stream for stream in info.audio if stream.is_default), info.audio[0])
    if not 0 <= track < len(info.audio):
        there = "; ".join(f"{number}: {_describe(stream)}" for number, stream in enumerate(info.audio))
        raise RequestError(f"{path} has no audio track {track}: choose one of {there}")
    return info.audio[track]


def _describe(stream: AudioStream) -> str:
    parts = [stream.language or "language unknown", stream.codec, stream.channel_layout, stream.title or ""]
    return " ".join(part for part in parts if part)


def _file_size(path: Path) -> int:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise RequestError(f"{path} does not exist: check the path") from None
    except OSError as error:
        raise RequestError(f"{path} cannot be opened ({error.strerror}): check the path") from error
    if stat.S_ISDIR(status.st_mode):
        raise RequestError(f"{path} is a folder: give one video file")
    if not stat.S_ISREG(status.st_mode):
        raise RequestError(f"{path} is not a regular file: give one video file")
    if status.st_size == 0:
        raise MediaError(f"{path} is empty (0 bytes): copy or download it again")
    return status.st_size


def _ffprobe(path: Path, tools: Tools) -> dict[str, Any]:
    try:
        return ffmpeg.probe(input_name(path), cmd=str(tools.ffprobe), timeout=tools.timeout_s, **_PROBE_OPTIONS)
    except ffmpeg.Error as error:
        stderr = error.stderr.decode(errors="replace")
        reason = next((text for sign, text in _REASONS.items() if sign in stderr), last_words(stderr))
        raise MediaError(f"{path} cannot be read: {reason}") from error
    except TimeoutExpired as error:
        raise ToolError(f"ffprobe took longer than {tools.timeout_s:g} s on {path}: is the disk there?") from error
    except (OSError, json.JSONDecodeError) as error:
        raise ToolError(f"ffprobe cannot be run ({error}): reinstall {tools.ffprobe}") from error


def _is_picture(stream: Mapping[str, Any]) -> bool:
    disposition = stream.get("disposition", {})
    is_still = disposition.get("attached_pic") or disposition.get("timed_thumbnails")
    return stream.get("codec_type") == "video" and not is_still


def _video_stream(raw: Mapping[str, Any], container_start_s: float, path: Path) -> VideoStream:
    average_hz, nominal_hz = _ratio(raw.get("avg_frame_rate")), _ratio(raw.get("r_frame_rate"))
    return VideoStream(
        index=raw["index"],
        codec=raw.get("codec_name", "unknown"),
        width=raw.get("width", 0),
        height=raw.get("height", 0),
        frame_rate_hz=average_hz or nominal_hz,
        is_variable_rate=abs(average_hz - nominal_hz) > 1e-3 * nominal_hz or _intervals_vary(path, raw["index"]),
        pixel_format=raw.get("pix_fmt", "unknown"),
        rotation_deg=_rotation_deg(raw),
        sample_aspect_ratio=_known(raw.get("sample_aspect_ratio")) or "1:1",
        colour_primaries=_known(raw.get("color_primaries")),
        colour_transfer=_known(raw.get("color_transfer")),
        colour_matrix=_known(raw.get("color_space")),
        colour_range=_known(raw.get("color_range")),
        start_s=_start_s(raw, container_start_s),
    )


def _audio_stream(raw: Mapping[str, Any], container_start_s: float) -> AudioStream:
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
    start_s = _seconds(raw.get("start_time"))
    return 0.0 if start_s is None else round(start_s - container_start_s, 6)


def _seconds(text: str | None) -> float | None:
    return None if text in (None, "N/A") else float(str(text))


def _known(text: str | None) -> str | None:
    return None if text in (None, "unknown", "unspecified", "N/A", "0:1") else text


def _ratio(text: str | None) -> float:
    numerator, _, denominator = (text or "0/0").partition("/")
    return float(numerator) / float(denominator) if float(denominator or 0) else 0.0


def _duration_s(raw: Mapping[str, Any], path: Path) -> float:
    stated = [_seconds(part.get("duration")) for part in (raw["format"], *raw["streams"])]
    known = [seconds for seconds in stated if seconds is not None and seconds > 0]
    return stated[0] or (max(known) if known else _last_time_s(path))


def _last_time_s(path: Path) -> float:
    """Read all packets' times: some recorders (browsers) never write a duration."""
    with open_media(path) as container:
        ends = [
            float((packet.pts + (packet.duration or 0)) * packet.time_base)
            for packet in container.demux()
            if packet.pts is not None and packet.time_base is not None
        ]
        start_s = (container.start_time or 0) / av.time_base
    return max(ends, default=start_s) - start_s


def _intervals_vary(path: Path, index: int) -> bool:
    """Look at the first packets: rates that average out still may be uneven."""
    with open_media(path) as container:
        packets = islice(container.demux(container.streams[index]), _PACKETS_LOOKED_AT)
        stamps = sorted(packet.pts for packet in packets if packet.pts is not None and not packet.is_discard)
    # Packets come in coding order: the last few may miss a neighbour that is still to come.
    gaps = [later - earlier for earlier, later in pairwise(stamps[:-16] if len(stamps) > 32 else stamps)]
    return bool(gaps) and max(gaps) - min(gaps) > 1  # 1: times rounded to the container's unit


def _check_decodes(path: Path, info: MediaInfo) -> None:
    """Raises: MediaError where the file's index points past its end, or nothing of a stream decodes."""
    indices = ([info.video.index] if info.video else []) + [stream.index for stream in info.audio[:1]]
    for index in indices:
        with open_media(path) as container:
            stream = container.streams[index]
            _check_whole(path, stream, info.size_bytes)
            if not any(_decodes(packet) for packet in container.demux(stream)):
                raise MediaError(f"{path}: nothing of its {stream.type} decodes: it is damaged, copy it again")


def _decodes(packet: av.Packet) -> bool:
    try:
        return bool(packet.decode())
    except av.error.InvalidDataError:
        return False


def _check_whole(path: Path, stream: Any, size_bytes: int) -> None:
    # An mp4 whose index stands in front still opens after the copy broke off; the index tells.
    last = max((entry.pos + entry.size for entry in stream.index_entries), default=0)
    if last > size_bytes:
        raise MediaError(f"{path} is cut short ({size_bytes} of {last} bytes or more): copy or download it again")
