"""Portraits as people have them: which are read, as what, and what is said of the others."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from schemas.artifact import ArtifactRef
from schemas.errors import MediaError
from schemas.motion import Faces
from tasks.clips import check_faces, portrait_landmarks

FACE = (slice(64, 180), slice(180, 272))
"""Where the astronaut's is."""


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    """The mesh of the astronaut as it is."""
    from models.facemesh.still import landmarks_of_picture

    found = landmarks_of_picture(astronaut())
    assert found is not None
    return found


def save_deep(path: Path) -> None:
    cv2.imwrite(str(path), cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR).astype(np.uint16) * 257)


def save_turned(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(astronaut()).transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=95)


def save_cut_out(path: Path) -> None:
    opaque = np.full((512, 512, 1), 255, np.uint8)
    opaque[:, :40] = 0
    Image.fromarray(np.concatenate([astronaut(), opaque], axis=2), "RGBA").save(path)


def save_20_megapixels(path: Path) -> None:
    Image.fromarray(astronaut()).resize((4_480, 4_480), Image.Resampling.BICUBIC).save(path)


READ = {
    "16 bits.png": (save_deep, 1.0),
    "turned.jpg": (save_turned, 1.0),
    "cut out.png": (save_cut_out, 1.0),
    "20 megapixels.jpg": (save_20_megapixels, 1280 / 512),
}


@pytest.mark.parametrize("name", READ)
def test_a_face_is_found_where_it_is_however_it_was_saved(name: str, points: np.ndarray, tmp_path: Path) -> None:
    save, scale = READ[name]
    save(tmp_path / name)
    rgb, landmarks = portrait_landmarks(tmp_path / name, name)
    assert rgb.shape == (round(512 * scale), round(512 * scale), 3) and rgb.dtype == np.uint8
    off = np.linalg.norm(landmarks[:, :2] / scale - points[:, :2], axis=1)
    assert np.median(off) < 1.0 and off.max() < 4.0


def hidden(rows: slice, columns: slice) -> np.ndarray:
    picture = astronaut()
    picture[rows, columns] = 120
    return picture


REFUSED = {
    "no face": (hidden(*FACE), "no face is found in this picture"),
    "eyes hidden": (hidden(slice(0, 122), slice(None)), "no face is found in this picture"),
    "half hidden": (hidden(slice(None), slice(225, 340)), "no face is found in this picture"),
    "two faces": (np.concatenate([astronaut(), astronaut()], axis=1), "2 faces are found in this picture; cut it to"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_animated_is_told(name: str, tmp_path: Path) -> None:
    picture, says = REFUSED[name]
    Image.fromarray(picture).save(tmp_path / "a.png")
    with pytest.raises(MediaError, match=f"^{name}.png: {says}"):
        portrait_landmarks(tmp_path / "a.png", f"{name}.png")


def test_a_small_face_behind_the_portrait_is_no_second_one(points: np.ndarray, tmp_path: Path) -> None:
    picture = np.concatenate([astronaut(), np.full((512, 256, 3), 120, np.uint8)], axis=1)
    picture[:204, 530:734] = cv2.resize(astronaut(), (204, 204), interpolation=cv2.INTER_AREA)
    Image.fromarray(picture).save(tmp_path / "a.png")
    _, landmarks = portrait_landmarks(tmp_path / "a.png", "a.png")
    assert np.median(np.linalg.norm(landmarks[:, :2] - points[:, :2], axis=1)) < 3.0


@pytest.mark.shared
def test_real_ones(shared_dir: Path) -> None:
    folder = shared_dir / "media" / "portrait"
    for drawn in ("anitalker_cartoon_girl.png", "lp_s10.jpg"):
        rgb, landmarks = portrait_landmarks(folder / drawn, drawn)
        face = landmarks[:, :2]
        assert (face > 0).all() and (face < rgb.shape[1::-1]).all(), "a drawn face that is like a face is one"
    with pytest.raises(MediaError, match="2 faces are found"):
        portrait_landmarks(folder / "multitalk_multi1.png", "multitalk_multi1.png")


def test_a_video_without_a_face_is_told() -> None:
    nobody = Faces(shots=(), tracks=(), tracks_ref=ArtifactRef(sha256="0" * 64, size_bytes=0, media_type="a/b"))
    with pytest.raises(MediaError, match=r"silent\.mp4: no face is found in this video"):
        check_faces(nobody, "silent.mp4")
