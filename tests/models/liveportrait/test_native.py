"""A face goes back into a film's own planes: every sample that the mask does not reach keeps its bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.planes import PlanarFrame
from models.facemesh.warp import Region
from models.liveportrait.crop import mask_in_frame, soft_mask
from models.liveportrait.native import Colours, Drawn, put_back
from schemas.media import VideoStream

HEIGHT, WIDTH = 96, 128
REGION = Region(16, 10, 96, 80)


def stream(pixel_format: str) -> VideoStream:
    return VideoStream.model_construct(
        width=WIDTH, height=HEIGHT, pixel_format=pixel_format, colour_matrix=None, colour_range="tv"
    )


def film_frame(pixel_format: str, rng: np.random.Generator) -> PlanarFrame:
    halves = (int("444" not in pixel_format), int("420" in pixel_format))
    chroma = (HEIGHT >> halves[1], WIDTH >> halves[0])
    is_deep = pixel_format.endswith("10le")
    low, high, kind = (64, 940, np.uint16) if is_deep else (16, 235, np.uint8)
    y, u, v = (rng.integers(low, high, size, kind) for size in ((HEIGHT, WIDTH), chroma, chroma))
    return PlanarFrame(0, 0.0, (y, u, v))


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
@given(
    seed=st.integers(0, 99),
    turn=st.floats(-0.5, 0.5),
    side=st.floats(30, 90),
    share=st.sampled_from([0.0, 0.25, 1.0]),
)
def test_outside_of_the_mask_not_a_bit_changes(
    pixel_format: str, seed: int, turn: float, side: float, share: float
) -> None:
    rng = np.random.default_rng(seed)
    frame, colours = film_frame(pixel_format, rng), Colours(stream(pixel_format))
    scale, middle = side / 512, np.array([64.0, 50.0])
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    back = np.eye(3)
    back[:2, :2], back[:2, 2] = linear, middle - linear @ (256, 256)
    drawn = Drawn(rng.integers(0, 256, (512, 512, 3), np.uint8), soft_mask(), back, share)
    made = put_back(drawn, frame, colours.rgb(frame.planes), REGION, colours)
    mask = share * mask_in_frame(soft_mask(), back, WIDTH, HEIGHT)
    mask = mask[REGION.y : REGION.y + REGION.height, REGION.x : REGION.x + REGION.width]
    for index, (own, new) in enumerate(zip(frame.planes, made, strict=True)):
        dx, dy = frame.chroma_shift if index else (0, 0)
        rows = slice(REGION.y >> dy, (REGION.y + REGION.height) >> dy)
        mine = own[rows, REGION.x >> dx : (REGION.x + REGION.width) >> dx]
        reach = mask.reshape(new.shape[0], 1 << dy, new.shape[1], 1 << dx).max(axis=(1, 3))
        assert new.dtype == own.dtype and new.shape == mine.shape
        assert (new == mine)[reach < 1e-6].all()
        assert share < 1 or (new != mine)[reach > 0.99].mean() > 0.5
