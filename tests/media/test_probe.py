import shutil
from pathlib import Path

import pytest

from media.probe import choose_audio, probe
from media.tools import Tools
from schemas.errors import MediaError, RequestError

Clips = dict[str, Path]
HOSTILE_NAMES = (
    "-y.mp4",
    "a b.mp4",
    'it\'s "quoted".mp4',
    "line\nbreak.mp4",
    "http:x.mp4",
    "%03d.mp4",
    "ünïcødé 漢.mp4",
)


def test_an_ordinary_file_is_described(clips: Clips, tools: Tools) -> None:
    info = probe(clips["plain"], tools)
    assert info.video is not None
    assert (info.video.codec, info.video.width, info.video.height) == ("h264", 96, 64)
    assert (info.video.frame_rate_hz, info.video.is_variable_rate, info.video.rotation_deg) == (25, False, 0)
    assert [(stream.codec, stream.sample_rate_hz, stream.channels) for stream in info.audio] == [("aac", 44100, 1)]
    assert info.duration_s == pytest.approx(1.5, abs=0.05)
    assert info.size_bytes == clips["plain"].stat().st_size


def test_tags_of_the_picture_are_read(clips: Clips, tools: Tools) -> None:
    rotated, uneven, hdr = (probe(clips[name], tools).video for name in ("rotated", "vfr", "ten_bit"))
    assert rotated is not None and uneven is not None and hdr is not None
    assert rotated.rotation_deg == 270  # made with a counter-clockwise 90
    assert uneven.is_variable_rate and uneven.sample_aspect_ratio == "4:3"
    assert (hdr.pixel_format, hdr.colour_primaries, hdr.colour_transfer) == ("yuv420p10le", "bt2020", "smpte2084")
    assert (hdr.colour_matrix, hdr.colour_range) == ("bt2020nc", "tv")


def test_cover_art_is_no_picture(clips: Clips, tools: Tools) -> None:
    assert probe(clips["cover"], tools).video is None
    assert probe(clips["sound_only"], tools).video is None


def test_times_count_from_the_containers_start(clips: Clips, tools: Tools) -> None:
    late, stream = probe(clips["late"], tools), probe(clips["ts"], tools)
    assert late.video is not None and late.video.start_s == 0
    assert late.audio[0].start_s == pytest.approx(0.3, abs=1e-3)
    assert stream.start_s > 1 and stream.audio[0].start_s < 0.1


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_any_file_name_works(name: str, clips: Clips, tools: Tools, tmp_path: Path) -> None:
    path = tmp_path / name
    shutil.copy(clips["plain"], path)
    assert probe(path, tools).duration_s == probe(clips["plain"], tools).duration_s


def test_a_relative_name_with_a_dash_works(
    clips: Clips, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(clips["plain"], tmp_path / "-i")
    monkeypatch.chdir(tmp_path)
    assert probe(Path("-i"), tools).video is not None


def test_a_missing_file_and_a_folder_are_bad_requests(tools: Tools, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="does not exist"):
        probe(tmp_path / "absent.mp4", tools)
    with pytest.raises(RequestError, match="is a folder"):
        probe(tmp_path, tools)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"dear diary, this is no film\n" * 50, "cannot be read|neither picture nor sound"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n", "."),
        (b"ffconcat version 1.0\nfile plain.mp4\n", "."),
        (b"1\n00:00:00,000 --> 00:00:01,000\nHello\n", "neither picture nor sound|cannot be read"),
        (bytes(4096), "cannot be read"),
    ],
)
def test_what_is_no_media_is_told(content: bytes, message: str, clips: Clips, tools: Tools, tmp_path: Path) -> None:
    shutil.copy(clips["plain"], tmp_path / "plain.mp4")
    path = tmp_path / "claims.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=message) as caught:
        probe(path, tools)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_cut_before_its_index_is_told(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(clips["plain"].read_bytes()[: clips["plain"].stat().st_size // 2])
    with pytest.raises(MediaError, match="cut short"):
        probe(path, tools)


def test_a_file_cut_behind_its_index_is_told(make_clip, clips: Clips, tools: Tools, tmp_path: Path) -> None:
    whole = make_clip("front.mp4", "-i", str(clips["plain"]), "-c", "copy", "-movflags", "+faststart").read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(MediaError, match="cut short"):
        probe(path, tools)


def test_damaged_pictures_are_told(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    data = bytearray(clips["silent"].read_bytes())
    start = data.index(b"mdat") + 4
    size = int.from_bytes(data[start - 8 : start - 4], "big") - 8
    data[start : start + size] = bytes(size)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    with pytest.raises(MediaError, match="decode"):
        probe(path, tools)


def test_the_default_track_is_chosen_else_the_first(clips: Clips, tools: Tools) -> None:
    two = probe(clips["two_tracks"], tools)
    assert choose_audio(two, clips["two_tracks"], None).title == "Kommentar"
    assert choose_audio(two, clips["two_tracks"], 0).language == "eng"
    unmarked = two.model_copy(
        update={"audio": tuple(stream.model_copy(update={"is_default": False}) for stream in two.audio)}
    )
    assert choose_audio(unmarked, clips["two_tracks"], None).index == two.audio[0].index


def test_wrong_tracks_are_told(clips: Clips, tools: Tools) -> None:
    with pytest.raises(RequestError, match=r"0: eng aac.*1: ger aac.*Kommentar"):
        choose_audio(probe(clips["two_tracks"], tools), clips["two_tracks"], 2)
    with pytest.raises(MediaError, match="no sound"):
        choose_audio(probe(clips["silent"], tools), clips["silent"], None)
