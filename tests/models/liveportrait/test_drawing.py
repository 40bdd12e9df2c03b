"""Whole faces drawn at full network size with seeded weights: frames, alignment, and what must not change.

Seeded weights make a picture of nothing; what is proven is where it lands.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from media.planes import read_planes
from media.probe import probe
from media.stills import read_picture
from media.tools import find_tools
from models.facemesh.landmarks import landmarks_of_clip
from models.facemesh.still import landmarks_of_picture
from models.liveportrait.film import Asked, Colours, FilmArtist, poses, region_of
from models.liveportrait.portrait import animate
from models.liveportrait.runner import Runner
from models.liveportrait.space import MOUTH_ROWS
from models.liveportrait.weights import load_liveportrait

pytestmark = [pytest.mark.shared, pytest.mark.slow]


@pytest.fixture(scope="module")
def runner(seeded: Path) -> Runner:
    torch.set_num_threads(1)
    return Runner(load_liveportrait(seeded), torch.device("cpu"))


def test_a_portrait_changes_inside_its_crop_alone(runner: Runner, shared_dir: Path) -> None:
    rgb = read_picture(shared_dir / "media" / "portrait" / "lp_s10.jpg")
    landmarks = landmarks_of_picture(rgb)
    assert landmarks is not None
    mouth = np.zeros((2, 12), np.float32)
    mouth[1] = 0.02
    first, second = animate(runner, rgb, landmarks, mouth, MOUTH_ROWS)
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
    region = region_of(poses(landmarks[numbers], info.video), info.video)
    artist = FilmArtist(runner, path, info, info.video, MOUTH_ROWS)
    asked = Asked(numbers, landmarks[numbers], np.zeros((2, 12), np.float32), np.ones(2))
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
