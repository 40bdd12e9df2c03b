"""Put picture, dub, original sound and subtitles into one file, and count what it decodes to."""

import math
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from media.decoder import open_media
from media.language_tags import add_mp4_tags, bcp_47, fill_matroska_tags, iso_639_2, matroska_placeholder
from media.probe import probe
from media.tools import Tools, input_file, input_name, run_ffmpeg
from schemas.errors import JamdubError, StorageError
from schemas.media import AudioStream, MediaInfo

_MP4_PICTURES = frozenset({"h264", "hevc", "av1", "mpeg4"})
_MP4_SOUNDS = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "flac", "opus"})
_AAC_FRAME_SAMPLES = 1024
_AAC_RATES_HZ = frozenset({96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000})
_OPUS_RATE_HZ = 48000
# AAC and players name 5.1 by its back speakers; the order of the samples is the same.
_COMMON_LAYOUTS = {"5.1(side)": "5.1", "5.0(side)": "5.0"}


@dataclass(frozen=True)
class AudioTrack:
    """The dub: a float WAV whose sample 0 is the file's time 0, its BCP-47 language, and a title."""

    path: Path
    language: str
    title: str


@dataclass(frozen=True)
class SubtitleTrack:
    """An SRT file, its BCP-47 language, and a title."""

    path: Path
    language: str
    title: str


@dataclass(frozen=True)
class _Label:
    """What a track is called; `kind` is ffmpeg's letter and number, such as "a:0"."""

    kind: str
    language: str | None
    title: str
    disposition: str


def container_suffix(info: MediaInfo) -> str:
    """Return ".mp4" for mp4 and mov sources whose coded streams mp4 players know, else ".mkv"."""
    is_mp4 = "mp4" in info.container.split(",")
    holds_picture = info.video is None or info.video.codec in _MP4_PICTURES
    holds_sound = all(stream.codec in _MP4_SOUNDS for stream in info.audio)
    return ".mp4" if is_mp4 and holds_picture and holds_sound else ".mkv"


def remux(
    source: Path,
    info: MediaInfo,
    *,
    picture: Path | None,
    dub: AudioTrack,
    original: AudioStream | None,
    subtitles: Sequence[SubtitleTrack],
    destination: Path,
    tools: Tools,
    bit_rate: int = 192_000,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write the deliverable: picture, dub (default), original sound (copied), subtitles.

    The dub decodes to exactly as many samples as its WAV holds, from time 0 on (see `_dub_coding`).
    The file is written under another name in the folder of `destination`, synced, and renamed.

    Args:
        picture: From `media.encode.encode_picture`; None copies the source's packets.
        original: Track of the source that the dub replaces; None: the source has none, or none is kept.
        bit_rate: Of a lossy dub up to stereo; more channels get as much per pair.
        metadata: Of the file; mp4 keeps known names only, "comment" among them.

    Raises: StorageError where it cannot be written; ToolError where ffmpeg refuses.
    """
    suffix = destination.suffix.lower()
    if suffix not in (".mp4", ".mkv"):
        raise JamdubError(f"{destination} must end in .mp4 or .mkv")
    labels = _labels(dub, original, subtitles)
    args = [
        *("-fflags", "+genpts", *input_file(source)),
        *_dub_input(dub.path, original),
        *_picture_input(picture, info, tools),
        *_texts_and_maps(info, picture, original, subtitles),
        *("-c", "copy", *_dub_coding(dub.path, suffix, bit_rate)),
        *(("-c:s", "mov_text" if suffix == ".mp4" else "srt") if subtitles else ()),
        *_label_options(labels, suffix),
        *(word for name, value in (metadata or {}).items() for word in ("-metadata", f"{name}={value}")),
        *_container_options(suffix, _clock_hz(info, source, picture), dub.path),
    ]
    partial = _reserve(destination)
    try:
        run_ffmpeg(tools, [*args, input_name(partial)], writes_to=destination)
        tags = [bcp_47(label.language) for label in labels]
        if suffix == ".mp4":
            add_mp4_tags(partial, tags if info.video is None else [None, *tags])
        else:
            fill_matroska_tags(partial, tags)
        _publish(partial, destination)
    finally:
        partial.unlink(missing_ok=True)


def decoded_samples(path: Path, audio_index: int, tools: Tools) -> int:
    """Decode the n-th audio track and count its samples (of one channel)."""
    second = "asetnsamples=n=65536:p=0"  # few lines to read; the last block stays short
    decode = ["-map", f"0:a:{audio_index}", "-af", second, "-c:a", "pcm_s16le", "-f", "framecrc", "pipe:1"]
    lines = run_ffmpeg(tools, [*input_file(path), *decode]).decode().splitlines()
    return sum(int(line.split(",")[3]) for line in lines if line and not line.startswith("#"))


def _dub_input(wav: Path, original: AudioStream | None) -> list[str]:
    if original is None:
        return input_file(wav, "wav")
    channels = soundfile.info(wav).channels
    layout = _COMMON_LAYOUTS.get(original.channel_layout, original.channel_layout)
    is_known = channels > 2 and channels == original.channels and "channels" not in layout
    return [*(["-channel_layout", layout] if is_known else []), *input_file(wav, "wav")]


def _picture_input(picture: Path | None, info: MediaInfo, tools: Tools) -> list[str]:
    if picture is None or info.video is None:
        return []
    # ffmpeg moves each input to start at 0; the offset puts the picture back where its stamps say.
    offset = ["-itsoffset", f"{probe(picture, tools).start_s:.6f}"]
    return [*offset, "-display_rotation:v:0", str(-info.video.rotation_deg), *input_file(picture, "mov")]


def _texts_and_maps(
    info: MediaInfo, picture: Path | None, original: AudioStream | None, subtitles: Sequence[SubtitleTrack]
) -> list[str]:
    first = 2 if picture is None else 3
    kept = [] if original is None else [f"0:{original.index}"]
    maps = ["1:a:0", *kept, *(f"{first + number}:s:0" for number in range(len(subtitles)))]
    if info.video is not None:
        maps = [f"0:{info.video.index}" if picture is None else "2:v:0", *maps]
    texts = [word for track in subtitles for word in input_file(track.path, "srt")]
    return [*texts, *(word for name in maps for word in ("-map", name))]


def _dub_coding(wav: Path, suffix: str, bit_rate: int) -> list[str]:
    """Choose a coding that ends to the sample.

    mp4 gets AAC: its frames are 1024 samples, and decoders honour an edit list's start to the sample but not
    its end, so the filling of the last frame stands in front and the edit list starts after it. Matroska
    gets Opus where it is 48 kHz and mono or stereo; Opus ends to the sample there, AAC does not. All else
    (other rates, and dubs below one AAC frame) is 16-bit FLAC. Measured with libav 8.0 and 8.1.
    """
    sound = soundfile.info(wav)
    bits = ["-b:a:0", str(round(bit_rate * max(1.0, sound.channels / 2)))]
    is_long = sound.frames >= _AAC_FRAME_SAMPLES  # below, no lossy coder ends to the sample
    if suffix == ".mp4" and is_long and sound.samplerate in _AAC_RATES_HZ:
        filling = -sound.frames % _AAC_FRAME_SAMPLES
        fill = ["-filter:a:0", f"adelay=delays={filling}S:all=1"] if filling else []
        return ["-c:a:0", "aac", *bits, *fill, "-bsf:a:0", f"setts=ts=TS-{filling}"]
    if suffix == ".mkv" and is_long and sound.samplerate == _OPUS_RATE_HZ and sound.channels <= 2:
        return ["-c:a:0", "libopus", *bits]
    return ["-c:a:0", "flac", "-filter:a:0", "aresample=osf=s16:dither_method=triangular"]


def _labels(dub: AudioTrack, original: AudioStream | None, subtitles: Sequence[SubtitleTrack]) -> list[_Label]:
    kept = [] if original is None else [_Label("a:1", original.language, original.title or "Original", "original")]
    return [
        _Label("a:0", dub.language, dub.title, "default+dub"),
        *kept,
        *(_Label(f"s:{number}", track.language, track.title, "0") for number, track in enumerate(subtitles)),
    ]


def _label_options(labels: Sequence[_Label], suffix: str) -> list[str]:
    options: list[str] = []
    for number, label in enumerate(labels):
        tag = bcp_47(label.language)
        code = "und" if tag is None else iso_639_2(tag)
        language = code if suffix == ".mp4" or tag is None else matroska_placeholder(number, tag)
        for name, value in (("language", language), ("title", label.title), ("handler_name", label.title)):
            options += [f"-metadata:s:{label.kind}", f"{name}={value}"]
        options += [f"-disposition:{label.kind}", label.disposition]
    return options


def _clock_hz(info: MediaInfo, source: Path, picture: Path | None) -> int:
    if info.video is None:
        return 1
    with open_media(picture or source) as container:
        index = 0 if picture else info.video.index
        time_base = container.streams[index].time_base
    return 1 if time_base is None else time_base.denominator


def _container_options(suffix: str, clock_hz: int, wav: Path) -> list[str]:
    if suffix == ".mkv":
        return ["-write_crc32", "0", "-fflags", "+bitexact", "-f", "matroska"]  # no checksum over the language tags
    # Edit lists count in the file's own clock: one that picture and sound divide evenly rounds nothing.
    common_hz = math.lcm(clock_hz, soundfile.info(wav).samplerate)
    movie_hz = common_hz if common_hz < 2**31 else max(clock_hz, 1000)
    return ["-movie_timescale", str(movie_hz), "-movflags", "+faststart", "-fflags", "+bitexact", "-f", "mp4"]


def _reserve(destination: Path) -> Path:
    """Create the file that is written first, so that a folder that refuses is told before the work."""
    partial = destination.with_name(f".{uuid.uuid4().hex}.part")
    try:
        partial.touch(exist_ok=False)
    except OSError as error:
        raise StorageError(
            f"{destination.parent} cannot be written to ({error.strerror}): choose another --out"
        ) from error
    return partial


def _publish(partial: Path, destination: Path) -> None:
    try:
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(destination)
        folder = os.open(destination.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise StorageError(f"{destination} cannot be written ({error.strerror}): free space or check it") from error
