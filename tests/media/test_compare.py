from pathlib import Path

import numpy as np
import pytest

from media.compare import IDENTICAL_DB, frame_count, outside_patches_psnr_db, video_packet_hash
from media.encode import encode_picture
from media.planes import read_planes, write_patch_video
from media.probe import probe
from media.tools import Tools, input_name
from schemas.dub import Patch
from schemas.errors import MediaError

Clips = dict[str, Path]


@pytest.mark.parametrize("suffix", ["mkv", "ts", "mov", "mp4"])
def test_copying_keeps_the_hash(suffix: str, make_clip, clips: Clips, tools: Tools) -> None:
    copy = make_clip(f"copy.{suffix}", "-i", input_name(clips["plain"]), "-map", "0:v", "-c", "copy")
    assert video_packet_hash(copy, tools) == video_packet_hash(clips["plain"], tools)


def test_the_hash_is_of_the_picture_alone(make_clip, clips: Clips, tools: Tools) -> None:
    hashes = {name: video_packet_hash(clips[name], tools) for name in ("plain", "vfr", "ten_bit", "webm")}
    assert len(set(hashes.values())) == 4
    muted = make_clip("muted.mp4", "-i", input_name(clips["plain"]), "-an", "-c", "copy")
    assert video_packet_hash(muted, tools) == hashes["plain"]
    assert len(hashes["plain"]) == 64


def test_encoding_again_changes_the_hash(make_clip, clips: Clips, tools: Tools) -> None:
    again = make_clip("again.mp4", "-i", input_name(clips["plain"]), "-c:v", "libx264", "-an")
    assert video_packet_hash(again, tools) != video_packet_hash(clips["plain"], tools)


def test_no_picture_is_told(clips: Clips, tools: Tools) -> None:
    with pytest.raises(MediaError, match="no picture"):
        video_packet_hash(clips["cover"], tools)
    with pytest.raises(MediaError, match="no picture"):
        frame_count(clips["cover"])


def test_frames_are_counted(clips: Clips) -> None:
    assert frame_count(clips["plain"]) == 38
    assert frame_count(clips["one_frame"]) == 1


def test_a_copy_is_identical_and_only_the_outside_counts(make_clip, clips: Clips, tools: Tools, tmp_path: Path) -> None:
    source, info = clips["plain"], probe(clips["plain"], tools)
    copy = make_clip("copy.mkv", "-i", input_name(source), "-map", "0:v", "-c", "copy")
    assert outside_patches_psnr_db(source, info, copy, [], every=1) == IDENTICAL_DB
    patch = Patch(
        line_id="a", track_id="f", video=None, x=10, y=8, width=40, height=24, frames=tuple(range(38)),
        bounded=0, skipped=0,
    )  # fmt: skip
    black = [
        (np.full((24, 40), 16, np.uint8), *(np.full((12, 20), 128, np.uint8) for _ in range(2)))
        for _ in read_planes(source, info)
    ]
    write_patch_video(tmp_path / "patch.mkv", black, pixel_format="yuv420p", width=40, height=24)
    encode_picture(source, info, [(patch, tmp_path / "patch.mkv")], tmp_path / "p.mp4", crf=8)
    outside = outside_patches_psnr_db(source, info, tmp_path / "p.mp4", [patch], every=1)
    everything = outside_patches_psnr_db(source, info, tmp_path / "p.mp4", [], every=1)
    assert 40 < outside < IDENTICAL_DB and everything < 25


def test_a_known_difference_has_the_known_psnr(make_clip, tools: Tools) -> None:
    lossless = ("-c:v", "ffv1", "-pix_fmt", "yuv420p")
    grey = ("-f", "lavfi", "-i", "color=c=0x808080:size=32x32:rate=25:duration=0.4", "-vf")
    base = make_clip("grey.mkv", *grey, "lutyuv=y=100", *lossless)
    lifted = make_clip("lifted.mkv", *grey, "lutyuv=y=105", *lossless)
    measured = outside_patches_psnr_db(base, probe(base, tools), lifted, [], every=2)
    assert measured == pytest.approx(20 * np.log10(255 / 5), abs=1e-9)


def test_other_sizes_are_told(clips: Clips, tools: Tools) -> None:
    with pytest.raises(MediaError, match="differs"):
        outside_patches_psnr_db(clips["plain"], probe(clips["plain"], tools), clips["odd"], [])
