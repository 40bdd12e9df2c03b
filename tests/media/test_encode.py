from pathlib import Path

import av
import numpy as np
import pytest

from media.encode import encode_picture
from media.frames import frame_times_s
from media.planes import Planes, read_planes, working_pixel_format, write_patch_video
from media.probe import probe
from media.tools import Tools
from schemas.dub import Patch
from schemas.errors import JamdubError, MediaError
from schemas.media import MediaInfo

Clips = dict[str, Path]
X, Y, WIDTH, HEIGHT = 10, 8, 40, 24


def _patch(frames: tuple[int, ...], line_id: str = "line", x: int = X) -> Patch:
    return Patch(
        line_id=line_id, track_id="face", video=None, x=x, y=Y, width=WIDTH, height=HEIGHT,
        frames=frames, bounded=0, skipped=0,
    )  # fmt: skip


def _flat_crops(path: Path, info: MediaInfo, patch: Patch, luma: int) -> list[Planes]:
    crops = []
    for frame in read_planes(path, info, patch.frames):
        right, down = frame.chroma_shift
        rows, columns = slice(patch.y >> down, (patch.y + HEIGHT) >> down), slice(0, WIDTH >> right)
        y = np.full((HEIGHT, WIDTH), luma, frame.planes[0].dtype)
        crops.append((y, frame.planes[1][rows, columns].copy(), frame.planes[2][rows, columns].copy()))
    return crops


def _write_patch(path: Path, info: MediaInfo, patch: Patch, luma: int, folder: Path) -> Path:
    assert info.video is not None
    target = folder / f"{patch.line_id}.mkv"
    crops = _flat_crops(path, info, patch, luma)
    write_patch_video(
        target, crops, pixel_format=working_pixel_format(info.video), width=patch.width, height=patch.height
    )
    return target


def _inside(planes: Planes, patch: Patch) -> np.ndarray:
    return planes[0][patch.y + 4 : patch.y + HEIGHT - 4, patch.x + 4 : patch.x + WIDTH - 4]


@pytest.mark.parametrize("name", ["plain", "vfr", "late_picture", "edited", "webm", "avi", "ts", "odd", "one_frame"])
def test_every_frame_keeps_its_time(name: str, clips: Clips, tools: Tools, tmp_path: Path) -> None:
    info = probe(clips[name], tools)
    count = encode_picture(clips[name], info, [], tmp_path / "p.mp4")
    made = probe(tmp_path / "p.mp4", tools)
    with av.open(str(tmp_path / "p.mp4")) as container:
        stream = container.streams.video[0]
        absolute_s = [float(frame.pts * stream.time_base) for frame in container.decode(stream)]
    assert count == len(absolute_s)
    np.testing.assert_allclose(absolute_s, frame_times_s(clips[name], info), atol=1e-5)
    assert made.video is not None and info.video is not None
    assert (made.video.width, made.video.height) == (info.video.width, info.video.height)
    assert made.video.sample_aspect_ratio == info.video.sample_aspect_ratio


def test_patches_land_where_and_when_they_belong(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    source, info = clips["plain"], probe(clips["plain"], tools)
    bright, dark = _patch((3, 4, 6, 7)), _patch((7, 8, 9), "other", x=52)
    pairs = [
        (dark, _write_patch(source, info, dark, 20, tmp_path)),
        (bright, _write_patch(source, info, bright, 230, tmp_path)),
    ]
    encode_picture(source, info, pairs, tmp_path / "p.mp4")
    before = list(read_planes(source, info))
    after = list(read_planes(tmp_path / "p.mp4", probe(tmp_path / "p.mp4", tools)))
    for old, new in zip(before, after, strict=True):
        for patch, luma in ((bright, 230), (dark, 20)):
            expected = (
                np.full((HEIGHT - 8, WIDTH - 8), luma) if new.index in patch.frames else _inside(old.planes, patch)
            )
            assert np.abs(_inside(new.planes, patch).astype(int) - expected).mean() < 3, new.index
        assert np.abs(old.planes[0][40:].astype(int) - new.planes[0][40:]).mean() < 3


def test_ten_bits_and_colour_tags_stay(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    source, info = clips["ten_bit"], probe(clips["ten_bit"], tools)
    patch = _patch((0, 1))
    encode_picture(source, info, [(patch, _write_patch(source, info, patch, 900, tmp_path))], tmp_path / "p.mp4")
    made = probe(tmp_path / "p.mp4", tools).video
    assert made is not None and info.video is not None
    same = ("pixel_format", "colour_primaries", "colour_transfer", "colour_matrix", "colour_range")
    assert [getattr(made, name) for name in same] == [getattr(info.video, name) for name in same]
    assert made.colour_transfer == "smpte2084"
    first = next(read_planes(tmp_path / "p.mp4", probe(tmp_path / "p.mp4", tools)))
    assert abs(float(_inside(first.planes, patch).mean()) - 900) < 8


def test_the_decoders_own_frames_are_not_painted_on(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    """A patch on one frame must not bleed into later frames, which the decoder predicts from it."""
    source, info = clips["plain"], probe(clips["plain"], tools)
    patch = _patch((0,))
    encode_picture(source, info, [(patch, _write_patch(source, info, patch, 255, tmp_path))], tmp_path / "p.mp4", crf=1)
    old = list(read_planes(source, info, [1, 2, 3]))
    new = list(read_planes(tmp_path / "p.mp4", probe(tmp_path / "p.mp4", tools), [1, 2, 3]))
    assert all(np.abs(a.planes[0].astype(int) - b.planes[0]).max() < 8 for a, b in zip(old, new, strict=True))


def test_lower_crf_is_closer(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    source, info = clips["plain"], probe(clips["plain"], tools)
    sizes = [encode_picture(source, info, [], tmp_path / f"{crf}.mp4", crf=crf) for crf in (10, 30)]
    assert sizes[0] == sizes[1]
    assert (tmp_path / "10.mp4").stat().st_size > 1.5 * (tmp_path / "30.mp4").stat().st_size


def test_patches_that_do_not_fit_are_told(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    source, info = clips["plain"], probe(clips["plain"], tools)
    short = _write_patch(source, info, _patch((3, 4)), 0, tmp_path)
    with pytest.raises(JamdubError, match="lacks frame 5"):
        encode_picture(source, info, [(_patch((3, 4, 5)), short)], tmp_path / "p.mp4")
    with pytest.raises(JamdubError, match="chroma grid"):
        encode_picture(source, info, [(_patch((3, 4), x=11), short)], tmp_path / "p.mp4")
    assert not (tmp_path / "p.mp4").exists()


def test_a_damaged_source_is_not_shortened(make_clip, clips: Clips, tools: Tools, tmp_path: Path) -> None:
    source = make_clip("intra.mkv", "-i", str(clips["silent"]), "-c:v", "png")
    data = bytearray(source.read_bytes())
    second = data.index(b"\x89PNG", data.index(b"\x89PNG") + 9)
    data[second : second + 60] = bytes(60)
    (tmp_path / "broken.mkv").write_bytes(data)
    info = probe(tmp_path / "broken.mkv", tools)
    times = frame_times_s(tmp_path / "broken.mkv", info)
    count = encode_picture(tmp_path / "broken.mkv", info, [], tmp_path / "p.mp4")
    assert count == len(times) < len(frame_times_s(source, probe(source, tools)))


def test_a_frame_lost_from_a_stamped_source_is_told(clips: Clips, tools: Tools, tmp_path: Path, make_clip) -> None:
    source = make_clip("jpegs.mkv", "-i", str(clips["silent"]), "-c:v", "mjpeg", "-pix_fmt", "yuvj420p")
    data = bytearray(source.read_bytes())
    starts = [at for at in range(len(data) - 2) if data[at : at + 3] == b"\xff\xd8\xff"]
    data[starts[5] : starts[6] - 20] = bytes(starts[6] - 20 - starts[5])
    (tmp_path / "broken.mkv").write_bytes(data)
    with pytest.raises(MediaError, match=r"frame \d+ of \d+ does not decode"):
        encode_picture(tmp_path / "broken.mkv", probe(tmp_path / "broken.mkv", tools), [], tmp_path / "p.mp4")
    assert not (tmp_path / "p.mp4").exists()
