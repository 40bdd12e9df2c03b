"""Whole faces drawn at full network size with seeded weights: frames, alignment, and what must not change.

Seeded weights make a picture of nothing; what is proven is where it lands.
"""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from media.frames import frame_times_s
from media.planes import read_patch_video, read_planes
from media.probe import probe
from media.stills import read_picture
from media.tools import find_tools
from models.face_model import Film, Shown
from models.facemesh.landmarks import landmarks_of_clip
from models.facemesh.still import landmarks_of_picture
from models.facemesh.tracks import TrackData
from models.liveportrait.face_model import LivePortraitModel
from models.liveportrait.film import Asked, FilmArtist, poses, region_of
from models.liveportrait.native import Colours
from models.liveportrait.runner import Runner
from models.liveportrait.space import MOUTH_ROWS, measured_space
from models.liveportrait.weights import load_liveportrait

pytestmark = [pytest.mark.shared, pytest.mark.slow, pytest.mark.full_size]


@pytest.fixture(scope="module")
def runner(seeded: Path) -> Runner:
    torch.set_num_threads(1)
    return Runner(load_liveportrait(seeded), torch.device("cpu"))


def test_a_portrait_changes_inside_its_crop_alone(runner: Runner, shared_dir: Path) -> None:
    rgb = read_picture(shared_dir / "media" / "portrait" / "lp_s10.jpg")
    landmarks = landmarks_of_picture(rgb)
    assert landmarks is not None
    model = LivePortraitModel(runner, measured_space([np.random.default_rng(0).normal(0, 0.01, (100, 21, 3))]))
    motion = model.portrait_motion(rgb, landmarks, 2)
    motion.mouth[1] = 0.02
    first, second = model.animate(rgb, landmarks, motion)
    assert first.shape == second.shape == rgb.shape
    changed = (first != rgb).any(axis=2)
    face = landmarks[:, :2].round().astype(int)
    inside = np.zeros(changed.shape, bool)
    width = np.ptp(face[:, 0])
    left, top = np.maximum(face.min(axis=0) - width, 0)
    right, bottom = face.max(axis=0) + width
    inside[top:bottom, left:right] = True
    assert not changed[~inside].any(), "the background is untouched"
    assert changed[face[:, 1], face[:, 0]].mean() > 0.9, "and the face is drawn"
    assert (first != second).any(), "another mouth is another picture"


def test_a_film_s_frames_are_patched_in_their_own_planes(runner: Runner, shared_dir: Path) -> None:
    path = shared_dir / "corpus" / "grid_s1" / "bbaf2n.mp4"
    info = probe(path, find_tools())
    assert info.video is not None
    landmarks = landmarks_of_clip(path)
    assert landmarks is not None
    numbers = [10, 11]
    found = poses(landmarks[numbers], info.video)
    region = region_of(found, info.video)
    artist = FilmArtist(runner, path, info, MOUTH_ROWS)
    asked = Asked(numbers, found, np.zeros((2, 12), np.float32), np.ones(2))
    drawn = list(artist.draw(asked, region))
    assert [number for number, _ in drawn] == numbers
    originals = {frame.index: frame.planes for frame in read_planes(path, info, numbers)}
    for number, planes in drawn:
        own = originals[number][0][region.y : region.y + region.height, region.x : region.x + region.width]
        assert planes[0].shape == own.shape and planes[0].dtype == own.dtype
        changed = planes[0] != own
        assert 0.2 < changed.mean() < 0.95
        assert not changed[0].any() and not changed[-1].any(), "nothing changes at the crop's edge"


def test_colours_come_back(shared_dir: Path) -> None:
    path = shared_dir / "corpus" / "grid_s1" / "bbaf2n.mp4"
    info = probe(path, find_tools())
    assert info.video is not None
    colours = Colours(info.video)
    frame = next(read_planes(path, info, [0]))
    again = colours.planes(colours.rgb(frame.planes))
    for own, ours in zip(frame.planes, again, strict=True):
        off = np.abs(own.astype(int) - ours)
        assert np.median(off) <= 1 and np.quantile(off, 0.99) <= 20, "but for edges of chroma, to one step"


@pytest.fixture
def film_4k(shared_dir: Path, tmp_path: Path) -> Path:
    """Three frames of a speaker in 3840 by 2160, ten bits: her picture enlarged, with room on both sides."""
    grid = shared_dir / "corpus" / "grid_s1" / "bbaf2n.mp4"
    filters = "trim=start_frame=10:end_frame=13,setpts=PTS-STARTPTS,scale=-2:2160,pad=3840:2160:-1:-1"
    large = tmp_path / "4k.mkv"
    command = [find_tools().ffmpeg, "-v", "error", "-i", grid, "-vf", filters, "-pix_fmt", "yuv420p10le", "-an"]
    subprocess.run([*command, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "4", large], check=True, timeout=120)
    return large


def test_the_face_model_reads_and_draws_a_track_of_a_large_film(runner: Runner, film_4k: Path, tmp_path: Path) -> None:
    info = probe(film_4k, find_tools())
    assert info.video is not None and (info.video.width, info.video.height) == (3840, 2160)
    landmarks = landmarks_of_clip(film_4k)
    assert landmarks is not None
    numbers = np.arange(3, dtype=np.int32)
    track = TrackData(numbers, landmarks, np.array([1, 0, 0], np.float32))
    film = Film(film_4k, info, frame_times_s(film_4k, info))
    space = measured_space([np.random.default_rng(0).normal(size=(9, 21, 3))])
    model = LivePortraitModel(runner, space)
    moved = model.track_motions(film, {"a": track})["a"]
    assert moved.motion.mouth.shape == (3, 12) and moved.motion.rest.shape == (3, 51)
    assert np.isfinite(moved.motion.mouth).all() and moved.start_s == pytest.approx(0.0)
    patch = tmp_path / "patch.mkv"
    drawn = model.render_line(film, track, Shown(moved.motion, 0.0), numbers, patch_path=patch)
    assert drawn.frames == (0,) and drawn.skipped == 2, "a mouth that is not seen is left alone, and counted"
    (planes,) = read_patch_video(patch)
    region = (slice(drawn.y, drawn.y + drawn.height), slice(drawn.x, drawn.x + drawn.width))
    own = next(read_planes(film_4k, info, [0])).planes[0][region]
    changed = planes[0] != own
    assert planes[0].dtype == np.uint16 and changed.mean() > 0.2
    assert not changed[0].any() and not changed[:, 0].any() and not changed[:, -1].any()
    unseen = TrackData(numbers, track.landmarks, np.zeros(3, np.float32))
    nothing = model.render_line(film, unseen, Shown(moved.motion, 0.0), numbers, patch_path=tmp_path / "none.mkv")
    assert nothing.frames == () and nothing.skipped == 3 and not (tmp_path / "none.mkv").exists()
