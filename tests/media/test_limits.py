"""Files that ask for more than this set-up gives are refused by their header, in one line that names the setting."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from media.decoder import decoded_frames, open_media
from media.limits import check_duration
from media.probe import probe
from media.stills import read_picture
from media.subtitles import read_script
from media.tools import Tools
from schemas.errors import MediaError, RequestError
from schemas.settings import Settings
from tasks.consent import read_consent

MakeClip = Callable[..., Path]
PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=1")
SOUND = ("-f", "lavfi", "-i", "sine=duration=1")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p")
DEEP = b"[" * 100_000 + b"]" * 100_000


def test_what_is_within_every_limit_passes(clips: dict[str, Path], tools: Tools) -> None:
    limits = Settings(
        max_upload_bytes=clips["plain"].stat().st_size,
        max_duration_s=2,
        max_pixels=96 * 64,
        max_frame_rate_hz=25,
        max_streams=2,
        max_channels=1,
    )
    assert probe(clips["plain"], tools, limits) == probe(clips["plain"], tools)


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ({"max_upload_bytes": 1000}, "JAMDUB_MAX_UPLOAD_BYTES"),
        ({"max_duration_s": 1}, "JAMDUB_MAX_DURATION_S"),
        ({"max_pixels": 96 * 64 - 1}, "96x64.*JAMDUB_MAX_PIXELS"),
        ({"max_frame_rate_hz": 24}, "25 frames.*JAMDUB_MAX_FRAME_RATE_HZ"),
        ({"max_streams": 1}, "2 streams.*JAMDUB_MAX_STREAMS"),
    ],
)
def test_each_limit_is_told_with_its_setting(
    limit: dict[str, int], says: str, clips: dict[str, Path], tools: Tools
) -> None:
    with pytest.raises(MediaError, match=says) as told:
        probe(clips["plain"], tools, Settings(**limit))
    assert str(clips["plain"]) in str(told.value)


def test_a_file_of_20_gb_is_refused_by_its_size_alone(tools: Tools, tmp_path: Path) -> None:
    path = tmp_path / "large.mp4"
    path.touch()
    os.truncate(path, 20_000_000_001)
    with pytest.raises(MediaError, match="20000000001 bytes"):
        probe(path, tools, Settings())


def test_too_many_channels_and_streams(make_clip: MakeClip, tools: Tools) -> None:
    wide = make_clip("wide.wav", "-f", "lavfi", "-i", "anullsrc=channel_layout=24c:sample_rate=8000:duration=0.1")
    with pytest.raises(MediaError, match=r"24 channels.*JAMDUB_MAX_CHANNELS"):
        probe(wide, tools, Settings())
    many = make_clip("many.mkv", *SOUND, *("-map", "0") * 65, "-c:a", "pcm_s16le")
    with pytest.raises(MediaError, match=r"65 streams.*JAMDUB_MAX_STREAMS"):
        probe(many, tools, Settings())


def test_absurd_rates(make_clip: MakeClip, tools: Tools, tmp_path: Path) -> None:
    quick = make_clip(
        "quick.mkv", *PICTURE, "-vf", "settb=1/90000,setpts=N/TB/45000", "-fps_mode", "passthrough", *H264,
        "-enc_time_base", "1:90000", "-f", "mp4",
    )  # fmt: skip
    with pytest.raises(MediaError, match="frames a second"):
        probe(quick, tools, Settings())
    sound = bytearray(make_clip("rate.wav", *SOUND).read_bytes())
    sound[24:28] = (2_000_000_000).to_bytes(4, "little")
    (tmp_path / "rate.wav").write_bytes(sound)
    with pytest.raises(MediaError, match="2000000000 Hz"):
        probe(tmp_path / "rate.wav", tools, Settings())


@pytest.fixture(scope="session")
def vast_png(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30,000 x 30,000 points of one bit: 110 kB on the disk, 2.7 GB as RGB."""
    path = tmp_path_factory.mktemp("vast") / "vast.png"
    Image.new("1", (30_000, 30_000)).save(path)
    assert path.stat().st_size < 1_000_000
    return path


def test_vast_pictures_are_refused_before_they_are_decoded(vast_png: Path, tmp_path: Path) -> None:
    Image.new("1", (9000, 9000)).save(tmp_path / "large.png")  # below what Pillow itself refuses
    for path in (vast_png, tmp_path / "large.png"):
        with pytest.raises(MediaError, match="more than 80000000 pixels"):
            read_picture(path)


def test_a_large_picture_in_an_attachment(make_clip: MakeClip, tools: Tools, tmp_path: Path) -> None:
    Image.new("1", (9000, 9000)).save(tmp_path / "large.png")
    with pytest.raises(MediaError, match=r"9000x9000 \(stream 2\)"):
        probe(attached(make_clip, tmp_path / "large.png"), tools, Settings())


def test_a_vast_picture_in_an_attachment_is_never_decoded(make_clip: MakeClip, vast_png: Path, tools: Tools) -> None:
    """Libav knows no picture of such a size; it stays closed, and the video beside it is good."""
    info = probe(attached(make_clip, vast_png), tools, Settings())
    assert info.video is not None and info.video.width == 96


def attached(make_clip: MakeClip, picture: Path) -> Path:
    clip = (*PICTURE, *SOUND, *H264, "-c:a", "flac", "-attach", str(picture))
    return make_clip(f"{picture.stem}.mkv", *clip, "-metadata:s:t", "mimetype=image/png")


def test_a_picture_that_grows_is_not_decoded(make_clip: MakeClip, tools: Tools, tmp_path: Path) -> None:
    small = make_clip("small.ts", *PICTURE, *H264)
    vast = make_clip("vast.ts", "-f", "lavfi", "-i", "testsrc2=size=2048x1536:rate=25:duration=0.2", *H264)
    path = tmp_path / "grows.ts"
    path.write_bytes(small.read_bytes() + vast.read_bytes())
    assert probe(path, tools, Settings(max_pixels=96 * 64)).video is not None
    with open_media(path) as container:
        sizes = {(frame.width, frame.height) for frame in decoded_frames(container, 0)}
    assert sizes == {(96, 64)}


def test_durations_that_lie(clips: dict[str, Path]) -> None:
    for lie in (-1.0, float("nan"), float("inf")):
        with pytest.raises(MediaError, match="lasts"):
            check_duration(lie, clips["plain"], Settings())


def test_only_photographs_are_opened_as_pictures(tmp_path: Path) -> None:
    postscript = tmp_path / "portrait.jpg"
    postscript.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    with pytest.raises(MediaError, match="cannot be read as a picture"):
        read_picture(postscript)


def test_a_script_of_1_gb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "script.srt"
    path.touch()
    os.truncate(path, 1_000_000_000)
    with pytest.raises(RequestError, match="larger than"):
        read_script(path)


@pytest.mark.parametrize("content", [DEEP, b'{"lines": ' + DEEP + b"}", b'{"a": [' * 50_000])
def test_json_bombs(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bomb.json"
    path.write_bytes(content)
    with pytest.raises(RequestError, match=r"bomb\.json"):
        read_script(path)
    with pytest.raises(RequestError, match=r"bomb\.json"):
        read_consent(path)


def test_a_huge_consent_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "consent.json"
    path.touch()
    os.truncate(path, 1_000_000_000)
    with pytest.raises(RequestError, match="larger than"):
        read_consent(path)


def test_an_archive_is_no_media(tools: Tools, tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../outside.mp4", bytes(1_000_000))
    with pytest.raises(MediaError, match="cannot be read"):
        probe(path, tools, Settings())
