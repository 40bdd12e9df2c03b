"""Pictures as people have them: deep, turned, see-through, large, and none at all."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from media.stills import read_picture
from schemas.errors import MediaError, RequestError

RAMP = np.linspace(0, 255, 64, dtype=np.uint8)[None].repeat(48, axis=0)


def test_a_picture_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    Image.fromarray(np.dstack([RAMP, RAMP[:, ::-1], RAMP])).save(tmp_path / "a.png")
    assert np.array_equal(read_picture(tmp_path / "a.png"), np.dstack([RAMP, RAMP[:, ::-1], RAMP]))


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    Image.fromarray(RAMP.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    assert np.array_equal(read_picture(tmp_path / "deep.png"), np.dstack([RAMP] * 3))


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_photo_is_upright(tmp_path: Path, orientation: int) -> None:
    upright = Image.fromarray(np.dstack([RAMP] * 3))
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright.transpose(turns[orientation]).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(read_picture(tmp_path / "turned.png"), np.asarray(upright))


def test_what_is_transparent_is_white_and_not_what_lies_under_it(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[:2] = (200, 10, 10, 255)
    pixels[2:] = (0, 255, 0, 0)
    Image.fromarray(pixels, "RGBA").save(tmp_path / "cut_out.png")
    read = read_picture(tmp_path / "cut_out.png")
    assert (read[:2] == (200, 10, 10)).all() and (read[2:] == 255).all()


def test_a_large_picture_is_made_smaller_in_its_proportions(tmp_path: Path) -> None:
    Image.new("RGB", (5_472, 3_648), "grey").save(tmp_path / "large.jpg")  # 20 megapixels
    assert read_picture(tmp_path / "large.jpg").shape == (852, 1280, 3)


def test_odd_sides_lose_a_row_or_a_column(tmp_path: Path) -> None:
    Image.new("RGB", (33, 21)).save(tmp_path / "odd.png")
    assert read_picture(tmp_path / "odd.png").shape == (20, 32, 3)


def test_what_is_no_picture_is_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="does not exist"):
        read_picture(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(MediaError, match="cannot be read as a picture"):
        read_picture(tmp_path / "text.png")
    Image.new("RGB", (1, 50)).save(tmp_path / "thin.png")
    with pytest.raises(MediaError, match="1x50 pixels: give a larger"):
        read_picture(tmp_path / "thin.png")
