"""How much disk a dub needs, said before it begins: a disk that fills in the middle costs hours, not data."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from models.weights.files import sha256_of
from schemas.artifact import ArtifactRef
from schemas.dub import DubRequest
from schemas.errors import StorageError
from schemas.media import AudioStream, MediaInfo
from tasks.deliver import LARGEST_EMBEDDED_VIDEO_BYTES
from tasks.workplace import Workplace

_SOUNDS = 6  # source, dialogue, background, mix, the decoded delivery, what verifying compares
_SAMPLE_BYTES = 4
_TAKE_BYTES_PER_S = 24_000 * _SAMPLE_BYTES
_CODED_BITS_PER_PIXEL = 0.12  # x264, CRF 16, veryfast: 0.05 to 0.10 on six talking heads
_PATCH_BITS_PER_PIXEL = 0.5  # lossless lips, by the pixels of the whole picture: 0.49 on the sample
_LANDMARK_BYTES_PER_FRAME = 5800  # one face of 478 points
_DUB_BYTES_PER_S = 24_000  # 192 kbit/s
_REPORT_BYTES = 4_000_000  # clips and pictures; the video is added where it is small
_FIRST_RUN_BYTES = 300_000_000  # weights put together from packages, Prefect's database


@dataclass(frozen=True)
class SpaceNeeded:
    """Bytes.

    Attributes:
        kept: What stays in the home folder.
        working: What is there for a while beside it, at most.
        output: What is delivered.
    """

    kept: int
    working: int
    output: int


def space_needed(request: DubRequest, info: MediaInfo, audio: AudioStream, place: Workplace) -> SpaceNeeded:
    """Estimate the bytes of a dub from what its file says.

    Sounds are float WAVs of the source's rate and channels. The picture is as large as the source's, or coded again.
    The constants were measured on the sample (13 s, 480x480, re-animated): estimated 41 MB, kept 41 MB; the picture's
    on six clips of 512x512 to 1390x1274.
    """
    sound = round(info.duration_s * audio.sample_rate_hz * audio.channels * _SAMPLE_BYTES)
    faces, patches, picture = 0, 0, info.size_bytes
    if info.video is not None:
        frames = info.duration_s * (info.video.frame_rate_hz or 25)
        pixels = frames * info.video.width * info.video.height
        if request.sees_faces:
            faces = round(frames * _LANDMARK_BYTES_PER_FRAME)
        if request.lips == "reanimate":
            patches = round(pixels * _PATCH_BITS_PER_PIXEL / 8)
            picture += round(pixels * _CODED_BITS_PER_PIXEL / 8)
    movie = picture + round(info.duration_s * _DUB_BYTES_PER_S)
    takes = round(info.duration_s * _TAKE_BYTES_PER_S)
    first = 0 if place.settings.cache_dir.exists() else _FIRST_RUN_BYTES
    embedded = movie * 4 // 3 if movie <= LARGEST_EMBEDDED_VIDEO_BYTES else 0
    return SpaceNeeded(
        kept=info.size_bytes + _SOUNDS * sound + takes + faces + patches + movie + first,
        working=sound + movie + (picture if patches else 0),
        output=movie + _REPORT_BYTES + embedded,
    )


def check_space(request: DubRequest, needed: SpaceNeeded, place: Workplace) -> None:
    """Refuse where the disk of the home folder, or that of a local output folder, has too little left.

    Where the store already holds the video, an earlier run has left most of what this one needs: then only what it
    needs at work is asked for.

    Raises: StorageError.
    """
    home = _existing(place.settings.home)
    wanted = {home: needed.kept + needed.working}
    if "://" not in request.output_dir:
        out = _existing(Path(request.output_dir))
        same = next((folder for folder in wanted if folder.stat().st_dev == out.stat().st_dev), out)
        wanted[same] = wanted.get(same, 0) + needed.output
    for folder, wanted_bytes in wanted.items():
        free_bytes = shutil.disk_usage(folder).free
        if free_bytes >= wanted_bytes:
            continue
        if folder == home and free_bytes >= wanted_bytes - needed.kept and _is_known(request, place):
            continue
        remedy = "set JAMDUB_HOME to a folder on another disk" if folder == home else "choose another --out"
        raise StorageError(
            f"the disk of {folder} has {_megabytes(free_bytes)} left, this dub needs about {_megabytes(wanted_bytes)}: "
            f"free some space, or {remedy}"
        )


def _is_known(request: DubRequest, place: Workplace) -> bool:
    video = Path(request.video)
    size_bytes = video.stat().st_size
    return place.store.has(ArtifactRef(sha256=sha256_of(video), media_type="video", size_bytes=size_bytes))


def _existing(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    whole = folder.absolute()
    return next(path for path in (whole, *whole.parents) if path.exists())


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
