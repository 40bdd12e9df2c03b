"""Take sound out of a file onto its time line, and read, write and resample it."""

import struct
from pathlib import Path

import numpy as np
import soundfile
import soxr

from media.tools import Tools, input_file, input_name, input_pipe, run_ffmpeg
from schemas.errors import MediaError, StorageError, ToolError
from schemas.media import AudioStream

_IEEE_FLOAT = 3
_SIZE_UNKNOWN = 0xFFFFFFFF
_SIZE_LIMIT = _SIZE_UNKNOWN - 100  # of the samples; the header needs a little


def extract_audio(path: Path, stream: AudioStream, destination: Path, tools: Tools) -> None:
    """Decode one track to a float32 WAV (RF64 when large) whose sample 0 is the file's time 0.

    Rate and channel layout are the source's. Time 0 is the container's start (ffprobe: format start_time),
    the same that frame times count from. A track that starts later gets silence in front; gaps in its
    time stamps longer than 0.1 s are filled with silence, overlaps as long are dropped; mp4 edit lists and
    encoder priming are applied by the demuxer, so neither is heard. Nothing is resampled or stretched.

    Raises: MediaError where the track gives no sound; StorageError where the disk is full.
    """
    onto_time_line = "aresample=async=1:first_pts=0"
    where = ["-map", f"0:{stream.index}", "-map_metadata", "-1", "-af", onto_time_line]
    target = ["-c:a", "pcm_f32le", "-fflags", "+bitexact", "-rf64", "auto", "-f", "wav", input_name(destination)]
    try:
        run_ffmpeg(tools, [*input_file(path), *where, *target], writes_to=destination)
        if soundfile.info(destination).frames == 0:
            raise MediaError(f"{path}: audio track (stream {stream.index}) is empty: choose another track")
    except ToolError as error:
        destination.unlink(missing_ok=True)
        raise MediaError(f"{path}: the sound of stream {stream.index} does not decode: {error}") from error
    except (MediaError, StorageError):
        destination.unlink(missing_ok=True)
        raise


def read_audio(path: Path) -> tuple[np.ndarray, int]:
    """Read a sound file: float32 [n, channels] and its rate in Hz. Raises: MediaError."""
    try:
        samples, sample_rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise MediaError(f"{path} cannot be read as sound: {error}") from error
    return samples, sample_rate_hz


def write_audio(path: Path, samples: np.ndarray, sample_rate_hz: int) -> None:
    """Write [n] or [n, channels] as float32 WAV. Raises: StorageError where it cannot be written."""
    body = _interleaved(samples)
    try:
        with path.open("wb") as file:
            file.write(_header(body.shape, sample_rate_hz))
            file.write(body.data)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror}): free space or check permissions") from error


def audio_bytes(samples: np.ndarray, sample_rate_hz: int) -> bytes:
    """Return the bytes that `write_audio` writes: the same samples give the same bytes, always."""
    body = _interleaved(samples)
    return _header(body.shape, sample_rate_hz) + body.tobytes()


def resample(samples: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Resample [n] or [n, channels] with soxr HQ; the length is exactly round(n * to_hz / from_hz)."""
    length = (2 * len(samples) * to_hz + from_hz) // (2 * from_hz)  # integers: no rounding error on long files
    if from_hz == to_hz:
        return samples.astype(np.float32, copy=True)
    if len(samples) == 0:
        return np.zeros((length, *samples.shape[1:]), np.float32)
    resampled = soxr.resample(samples.astype(np.float32, copy=False), from_hz, to_hz, quality="HQ")[:length]
    missing = length - len(resampled)
    return np.pad(resampled, [(0, missing)] + [(0, 0)] * (resampled.ndim - 1)).astype(np.float32, copy=False)


def to_mono(samples: np.ndarray) -> np.ndarray:
    """Average [n] or [n, channels] into [n] float32."""
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    return mono.astype(np.float32, copy=False)


def encode_audio_clip(samples: np.ndarray, sample_rate_hz: int, tools: Tools) -> bytes:
    """Encode [n] or [n, channels] to a small fragment of AAC in m4a that any browser plays."""
    fragment = ["-movflags", "+empty_moov+default_base_moof+frag_keyframe", "-f", "mp4", "pipe:1"]
    coder = ["-map_metadata", "-1", "-fflags", "+bitexact", "-ac", "1", "-ar", "24000", "-c:a", "aac", "-b:a", "48k"]
    wav = audio_bytes(samples, sample_rate_hz)
    return run_ffmpeg(tools, [*input_pipe("wav"), *coder, *fragment], stdin=wav)


def _interleaved(samples: np.ndarray) -> np.ndarray:
    columns = samples[:, None] if samples.ndim == 1 else samples
    return np.ascontiguousarray(columns, dtype="<f4")


def _header(shape: tuple[int, ...], sample_rate_hz: int) -> bytes:
    """Build the WAV header, RF64 beyond 4 GiB. By hand: libsndfile adds a chunk with the time of day."""
    frames, channels = shape
    data_bytes = frames * channels * 4
    layout = struct.pack(
        "<HHIIHHH", _IEEE_FLOAT, channels, sample_rate_hz, sample_rate_hz * channels * 4, channels * 4, 32, 0
    )
    chunks = b"fmt " + struct.pack("<I", len(layout)) + layout
    if data_bytes < _SIZE_LIMIT:
        chunks += b"fact" + struct.pack("<II", 4, frames)
        size = 4 + len(chunks) + 8 + data_bytes
        return b"RIFF" + struct.pack("<I", size) + b"WAVE" + chunks + b"data" + struct.pack("<I", data_bytes)
    sizes = struct.pack("<QQQI", 4 + 36 + len(chunks) + 8 + data_bytes, data_bytes, frames, 0)
    ds64 = b"ds64" + struct.pack("<I", len(sizes)) + sizes
    unknown = struct.pack("<I", _SIZE_UNKNOWN)
    return b"RF64" + unknown + b"WAVE" + ds64 + chunks + b"data" + unknown
