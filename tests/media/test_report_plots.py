"""Plots of the report: well-formed, inside their frame, true to peaks and gaps, whatever the arrays hold."""

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from media.report.plots import MAX_POINTS, Curve, aperture_svg, clock, decimate, waveform_svg

FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=True)
CURVES = arrays(np.float32, st.integers(0, 900), elements=FLOATS, fill=FLOATS)
STARTS = st.floats(0, 14400)
LENGTHS = st.floats(0.01, 600)


def coordinates(svg: ET.Element) -> Iterator[tuple[float, float]]:
    for element in svg.iter():
        for pair in re.findall(r"(\S+) (\S+)", re.sub(r"[MLZ]", " ", element.get("d", "")).replace("V", "0 ")):
            yield float(pair[0]), float(pair[1])
        if element.get("x") is not None:
            yield float(element.get("x", "")), float(element.get("y", ""))


def assert_sound(svg: str, title: str) -> None:
    tree = ET.fromstring(svg)
    assert tree.get("role") == "img" and tree[0].tag == "title" and tree[0].text == title
    _, _, width, height = map(float, tree.get("viewBox", "").split())
    points = list(coordinates(tree))
    assert points
    for x, y in points:
        assert math.isfinite(x) and math.isfinite(y)
        assert 0 <= x <= width and 0 <= y <= height
    for path in tree.iter("path"):
        assert len(re.findall("[ML]", path.get("d", ""))) <= 3 * MAX_POINTS


@settings(max_examples=60, deadline=None)
@given(CURVES, CURVES, STARTS, LENGTHS)
def test_waveform_stays_inside_its_frame(source: np.ndarray, dub: np.ndarray, start_s: float, length_s: float) -> None:
    assert_sound(waveform_svg(source, dub, start_s, start_s + length_s, title="a <b> & c"), "a <b> & c")


@settings(max_examples=60, deadline=None)
@given(CURVES, CURVES, STARTS, LENGTHS, st.booleans())
def test_apertures_stay_inside_their_frame(
    asked: np.ndarray, seen: np.ndarray, start_s: float, length_s: float, timed: bool
) -> None:
    times_s = start_s + np.linspace(length_s, 0, len(seen)) if timed else None
    curves = [Curve("asked", asked, "#111111"), Curve("seen", seen, "#222222", "1 2", times_s)]
    assert_sound(aperture_svg(curves, start_s, start_s + length_s, title="t"), "t")


@given(CURVES, st.integers(1, 50))
def test_decimation_keeps_peaks(values: np.ndarray, at_most: int) -> None:
    positions, kept = decimate(values, at_most)
    assert len(positions) == len(kept) <= max(at_most, 0) or len(values) <= at_most
    assert np.all(np.diff(positions) > 0)
    finite = values[np.isfinite(values)]
    assert np.isfinite(kept).any() == bool(finite.size)
    if finite.size:
        assert np.nanmax(kept) == finite.max()


def test_louder_is_taller_and_gaps_are_gaps() -> None:
    quiet, loud = np.full(100, 0.1), np.full(100, 0.8)
    up = [y for _, y in coordinates(ET.fromstring(waveform_svg(loud, quiet, 1, 2, title="")))]
    down = [y for _, y in coordinates(ET.fromstring(waveform_svg(quiet, loud, 1, 2, title="")))]
    assert min(up) <= min(down) and max(up) <= max(down)
    broken = np.r_[np.full(10, 0.1), np.full(5, np.nan), np.full(10, 0.1)]
    svg = ET.fromstring(aperture_svg([Curve("seen", broken, "#123456")], 0, 1, title=""))
    (path,) = [p for p in svg.iter("path") if p.get("stroke") == "#123456" and len(p.get("d", "")) > 40]
    assert path.get("d", "").count("M") == 2


def test_clock() -> None:
    assert [clock(t) for t in (0, 9.5, 59.999, 75.25, 3600)] == ["0:00", "0:09.5", "1:00", "1:15.25", "60:00"]
    assert [clock(t, 1) for t in (0, 59.96, -0.3)] == ["0:00.0", "1:00.0", "−0:00.3"]
