from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from media.frames import frame_times_s, read_upright, to_coded_px, to_upright_px
from media.planes import (
    WORKING_FORMATS,
    chroma_shift_of,
    read_patch_video,
    read_planes,
    working_pixel_format,
    write_patch_video,
)
from media.probe import probe
from media.tools import Tools
from schemas.errors import JamdubError, MediaError
from schemas.media import MediaInfo, VideoStream

Clips = dict[str, Path]
EVERY_PICTURE = ["plain", "vfr", "late_picture", "edited", "ten_bit", "webm", "avi", "ts", "odd", "one_frame"]


def _video(rotation_deg: int, width: int = 7, height: int = 4) -> VideoStream:
    return VideoStream(
        index=0, codec="h264", width=width, height=height, frame_rate_hz=25, is_variable_rate=False,
        pixel_format="yuv420p", rotation_deg=rotation_deg, sample_aspect_ratio="1:1", colour_primaries=None,
        colour_transfer=None, colour_matrix=None, colour_range=None, start_s=0,
    )  # fmt: skip


def _decoded_times_s(path: Path, info: MediaInfo) -> list[float]:
    """Decode everything, one thread, no numbering: what the times must agree with."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [float(frame.pts * stream.time_base) - info.start_s for frame in container.decode(stream)]


@pytest.mark.parametrize("name", EVERY_PICTURE)
def test_times_and_frames_agree_with_a_plain_decode(name: str, clips: Clips, tools: Tools) -> None:
    info = probe(clips[name], tools)
    expected = _decoded_times_s(clips[name], info)
    times_s = frame_times_s(clips[name], info)
    frames = list(read_upright(clips[name], info))
    assert times_s.dtype == np.float64
    np.testing.assert_allclose(times_s, expected, atol=1e-9)
    assert [frame.index for frame in frames] == list(range(len(expected)))
    np.testing.assert_allclose([frame.time_s for frame in frames], expected, atol=1e-9)


def test_uneven_and_late_frames_keep_their_times(clips: Clips, tools: Tools) -> None:
    uneven = frame_times_s(clips["vfr"], probe(clips["vfr"], tools))
    number = np.arange(len(uneven))
    np.testing.assert_allclose(uneven, number * 0.04 + np.where(number < 10, 0, 0.013 * (number % 3)), atol=1e-4)
    late = frame_times_s(clips["late_picture"], probe(clips["late_picture"], tools))
    assert late[0] == pytest.approx(0.3, abs=0.025)


def test_frames_stand_upright_and_scale_back(clips: Clips, tools: Tools) -> None:
    plain, rotated = probe(clips["plain"], tools), probe(clips["rotated"], tools)
    flat = next(read_upright(clips["plain"], plain))
    upright = next(read_upright(clips["rotated"], rotated))
    assert flat.rgb.shape == (64, 96, 3) and flat.scale == 1
    assert np.array_equal(upright.rgb, np.rot90(flat.rgb, k=1))
    small = next(read_upright(clips["rotated"], rotated, max_side_px=48))
    assert small.rgb.shape == (48, 32, 3) and small.scale == 2


def test_a_damaged_frame_does_not_shift_the_others(make_clip, clips: Clips, tools: Tools, tmp_path: Path) -> None:
    source = make_clip("intra.mkv", "-i", str(clips["silent"]), "-c:v", "png")
    data = bytearray(source.read_bytes())
    header = data.index(b"\x89PNG", data.index(b"\x89PNG", data.index(b"\x89PNG") + 9) + 9)
    data[header : header + 60] = bytes(60)
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(data)
    info = probe(broken, tools)
    whole = {frame.index: frame.rgb for frame in read_upright(source, probe(source, tools))}
    frames = list(read_upright(broken, info))
    assert len(whole) - 2 <= len(frames) < len(whole)
    assert all(np.array_equal(frame.rgb, whole[round(frame.time_s * 25)]) for frame in frames)


def test_sound_alone_has_no_frames(clips: Clips, tools: Tools) -> None:
    with pytest.raises(MediaError, match="no picture"):
        frame_times_s(clips["sound_only"], probe(clips["sound_only"], tools))


@pytest.mark.parametrize("rotation_deg", [0, 90, 180, 270])
def test_points_turn_with_the_picture_and_back(rotation_deg: int) -> None:
    video = _video(rotation_deg)
    image = np.arange(28).reshape(4, 7)
    upright = np.rot90(image, k=-rotation_deg // 90)
    y, x = np.mgrid[:4, :7]
    coded = np.stack([x, y], axis=-1)
    turned = to_upright_px(coded, video)
    assert np.array_equal(upright[turned[..., 1], turned[..., 0]], image)
    assert np.array_equal(to_coded_px(turned, video), coded)


@given(
    points=st.lists(st.tuples(st.floats(-50, 500), st.floats(-50, 500)), min_size=1, max_size=9),
    rotation_deg=st.sampled_from([0, 90, 180, 270]),
)
@settings(max_examples=50, deadline=None)
def test_turning_is_undone(points: list[tuple[float, float]], rotation_deg: int) -> None:
    video, array = _video(rotation_deg, 320, 240), np.array(points)
    np.testing.assert_allclose(to_coded_px(to_upright_px(array, video), video), array, atol=1e-9)
    np.testing.assert_allclose(to_upright_px(to_coded_px(array, video), video), array, atol=1e-9)


def test_planes_are_the_decoders_own(clips: Clips, tools: Tools) -> None:
    for name, dtype in (("plain", np.uint8), ("ten_bit", np.uint16)):
        first = next(read_planes(clips[name], probe(clips[name], tools)))
        with av.open(str(clips[name])) as container:
            raw = next(container.decode(video=0)).to_ndarray()
        assert first.planes[0].dtype == dtype and first.chroma_shift == (1, 1)
        assert np.array_equal(first.planes[0], raw[:64])
        assert np.array_equal(first.planes[1].ravel(), raw[64:80].ravel())
        assert np.array_equal(first.planes[2].ravel(), raw[80:96].ravel())


def test_chosen_frames_are_the_same_by_seeking(make_clip, tools: Tools) -> None:
    long = ("-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=40", "-threads", "1")
    open_groups = "log-level=error:keyint=50:open-gop=1"
    coders = {
        "long.mp4": ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "3", "-g", "60", "-pix_fmt", "yuv420p"),
        "open.mp4": ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", open_groups, "-pix_fmt", "yuv420p"),
        "long.mkv": ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", open_groups, "-pix_fmt", "yuv420p"),
    }
    wanted = [3, 4, 299, 301, 305, 749, 999]  # 299 and 749 lead a key frame
    for name, coder in coders.items():
        clip = make_clip(name, *long, *coder)
        info = probe(clip, tools)
        everything = {frame.index: frame for frame in read_planes(clip, info)}
        chosen = list(read_planes(clip, info, wanted))
        assert [frame.index for frame in chosen] == wanted and len(everything) == 1000
        for frame in chosen:
            assert frame.time_s == everything[frame.index].time_s
            assert all(map(np.array_equal, frame.planes, everything[frame.index].planes))


def test_working_formats_keep_depth_and_odd_sizes() -> None:
    names = {
        "yuv420p": "yuv420p", "yuvj422p": "yuv422p", "nv12": "yuv420p", "yuv420p10le": "yuv420p10le",
        "p010le": "yuv420p10le", "yuv444p12le": "yuv444p10le", "gbrp": "yuv444p", "rgb24": "yuv444p", "gray": "yuv420p",
        "yuva420p": "yuv420p", "yuyv422": "yuv422p", "yuv411p": "yuv420p", "yuv410p": "yuv420p", "uyvy422": "yuv422p",
    }  # fmt: skip
    for name, expected in names.items():
        assert working_pixel_format(_video(0, 96, 64).model_copy(update={"pixel_format": name})) == expected
    assert working_pixel_format(_video(0, 97, 64)) == "yuv444p"


@given(
    pixel_format=st.sampled_from(sorted(WORKING_FORMATS)),
    half_width=st.integers(1, 20),
    half_height=st.integers(1, 20),
    count=st.integers(1, 4),
    seed=st.integers(0, 2**31),
)
@example(pixel_format="yuv420p", half_width=217, half_height=150, count=1, seed=0)  # the size of a real face
@example(pixel_format="yuv422p10le", half_width=450, half_height=370, count=1, seed=0)
@settings(max_examples=30, deadline=None)
def test_patch_videos_are_lossless(
    tmp_path_factory, pixel_format: str, half_width: int, half_height: int, count: int, seed: int
) -> None:
    folder, random = tmp_path_factory.mktemp("patch"), np.random.default_rng(seed)
    width, height = 2 * half_width, 2 * half_height
    right, down = chroma_shift_of(pixel_format)
    top, dtype = (1024, np.uint16) if pixel_format.endswith("10le") else (256, np.uint8)
    small = (height >> down, width >> right)
    frames = [
        tuple(random.integers(0, top, size, dtype) for size in ((height, width), small, small)) for _ in range(count)
    ]
    for name in ("a.mkv", "b.mkv"):
        write_patch_video(folder / name, frames, pixel_format=pixel_format, width=width, height=height)
    back = list(read_patch_video(folder / "a.mkv"))
    assert len(back) == count
    assert all(
        np.array_equal(p, q) for made, read in zip(frames, back, strict=True) for p, q in zip(made, read, strict=True)
    )
    assert (folder / "a.mkv").read_bytes() == (folder / "b.mkv").read_bytes()


def test_odd_patches_are_refused(tmp_path: Path) -> None:
    with pytest.raises(JamdubError, match="even"):
        write_patch_video(tmp_path / "a.mkv", [], pixel_format="yuv420p", width=5, height=4)


def test_rgb_looks_like_the_planes(clips: Clips, tools: Tools) -> None:
    info = probe(clips["plain"], tools)
    rgb = next(read_upright(clips["plain"], info)).rgb
    luma = next(read_planes(clips["plain"], info)).planes[0].astype(float)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(float) * 219 / 255 + 16
    assert np.corrcoef(grey.ravel(), luma.ravel())[0, 1] > 0.99
