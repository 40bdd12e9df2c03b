"""Read what a media file holds, and refuse early what cannot be dubbed."""

import json
import stat
from collections.abc import Mapping
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import av

from media.decoder import open_media
from media.limits import check_duration, check_header, check_size
from media.programs import complete, last_words
from media.stream_info import audio_stream, is_picture, seconds, video_stream
from media.tools import Tools, input_name, read_options
from schemas.errors import MediaError, RequestError, ToolError
from schemas.media import AudioStream, MediaInfo
from schemas.settings import Settings

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
_SHOWN = ("-v", "error", "-of", "json", "-show_format", "-show_streams", "-show_entries", "stream_side_data=rotation")


def probe(path: Path, tools: Tools, limits: Settings | None = None) -> MediaInfo:
    """Describe a file's container and streams, and decode a first frame of each kind.

    Cover art is no video. Times are seconds after the container's start.

    Args:
        limits: Of size, duration, picture, sound and streams, for files that people bring; None for our own.

    Raises: RequestError where there is no such file; MediaError where it is no readable media, or beyond a limit.
    """
    size_bytes = _file_size(path)
    if limits is not None:
        check_size(path, size_bytes, limits)
    raw = _ffprobe(path, tools)
    if limits is not None:
        check_header(raw, path, limits)
    container = raw.get("format", {}).get("format_name", "")
    streams = raw.get("streams", [])
    video = next((stream for stream in streams if is_picture(stream)), None)
    audio = [stream for stream in streams if stream.get("codec_type") == "audio"]
    if _NOT_MEDIA & set(container.split(",")) or container.endswith("_pipe") or not (video or audio):
        raise MediaError(f"{path} holds neither picture nor sound (it reads as {container or 'nothing'}): give a video")
    start_s = seconds(raw["format"].get("start_time")) or 0.0
    info = MediaInfo(
        container=container,
        duration_s=_duration_s(raw, path),
        size_bytes=size_bytes,
        video=None if video is None else video_stream(video, start_s, _intervals_vary(path, video["index"])),
        audio=tuple(audio_stream(stream, start_s) for stream in audio),
        start_s=start_s,
    )
    if limits is not None:
        check_duration(info.duration_s, path, limits)
    if info.video is not None and not info.video.width * info.video.height:
        raise MediaError(f"{path}: its picture has no size: it is damaged, copy it again")
    _check_decodes(path, info)
    return info


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
    args = [*_SHOWN, *read_options(), input_name(path)]
    ended = complete(tools.ffprobe, args, timeout_s=tools.timeout_s, memory_bytes=tools.memory_bytes)
    if ended.code != 0:
        reason = next((text for sign, text in _REASONS.items() if sign in ended.stderr), last_words(ended.stderr))
        raise MediaError(f"{path} cannot be read: {reason}")
    try:
        told: dict[str, Any] = json.loads(ended.stdout)
    except ValueError as error:
        raise ToolError(f"ffprobe gave no JSON ({error}): reinstall {tools.ffprobe}") from error
    return told


def _duration_s(raw: Mapping[str, Any], path: Path) -> float:
    stated = [seconds(part.get("duration")) for part in (raw["format"], *raw["streams"])]
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
