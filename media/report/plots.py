"""Arrays to inline SVG: a line's waveforms and lip apertures. n samples; every coordinate lies inside the viewBox.

Colours keep 3:1 against white and against the page's dark ground, text takes the page's own colour, and curves
differ in dash as well as in colour, so that a plot also reads in print and without colour vision.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import escape

MAX_POINTS = 400
ENVELOPE_RATE_HZ = 100.0
APERTURE_RATE_HZ = 25.0
MARGIN_S = 0.3
GAP_S = 0.2  # frames further apart belong to two shots

SOURCE_COLOUR = "#4a86c8"
DUB_COLOUR = "#d0691c"
DETECTED_COLOUR = "#2f9168"
GRID_COLOUR = "#8a8f98"

_WIDTH = 360.0
_LEFT, _RIGHT = 42.0, 354.0
_TOP, _FONT = 6.0, 11.0
_TIME_LABEL = "time in the video, min:s"


@dataclass(frozen=True)
class Curve:
    """One line of a plot; `values` [n] may hold NaN where nothing was measured.

    `times_s` [n] is where they lie in the video, in any order; None: at 25 fps from the line's start.
    """

    name: str
    values: np.ndarray
    colour: str
    dash: str = ""
    times_s: np.ndarray | None = None


@dataclass(frozen=True)
class Axes:
    """The rectangle of a plot and the values at its edges."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float
    bottom: float

    def x(self, value: float) -> float:
        share = (value - self.x_low) / (self.x_high - self.x_low)
        return _LEFT + min(max(share, 0.0), 1.0) * (_RIGHT - _LEFT)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return self.bottom - min(max(share, 0.0), 1.0) * (self.bottom - _TOP)


def waveform_svg(source: np.ndarray, dub: np.ndarray, start_s: float, end_s: float, *, title: str) -> str:
    """Draw the peak envelopes of a line: the source upwards, the dub mirrored below, on one scale.

    Args:
        source: [n] peaks at 100 Hz, the first one 0.3 s before the line starts, or at 0 s.
        dub: [m] likewise.
        start_s: The line's span in the video; its edges are drawn as upright lines.
        end_s: See `start_s`.
        title: What a screen reader says of the plot.
    """
    top = _highest([source, dub], at_least=0.05)
    first_s = max(0.0, start_s - MARGIN_S)
    length_s = max(len(source), len(dub)) / ENVELOPE_RATE_HZ
    axes = Axes(first_s, max(end_s + MARGIN_S, first_s + length_s), -top, top, 96.0)
    middle = axes.y(0.0)
    parts = [_time_axis(axes), *(_upright(axes, edge_s) for edge_s in (start_s, end_s))]
    parts += [_area(source, axes, 1.0, SOURCE_COLOUR), _area(dub, axes, -1.0, DUB_COLOUR)]
    parts.append(_rule(_LEFT, middle, _RIGHT, middle))
    parts += [_text(_LEFT - 4, y + 3.5, label, "end") for y, label in _mirror_ticks(axes, top)]
    parts += [_swatch(_LEFT, "source, up", SOURCE_COLOUR), _swatch(_LEFT + 76, "dub, down", DUB_COLOUR)]
    parts += [_upright_text(axes, "peak, 1 = full"), _text(_RIGHT, 122, _TIME_LABEL, "end")]
    return _svg(126.0, title, parts)


def aperture_svg(curves: Sequence[Curve], start_s: float, end_s: float, *, title: str) -> str:
    """Draw lip openings over a line: what the source had, what was asked, what is seen in the result.

    Args:
        curves: Openings in units of the distance between the eyes.
        start_s: The line's span in the video; curves may go beyond its end.
        end_s: See `start_s`.
        title: What a screen reader says of the plot.
    """
    arrays = [curve.values for curve in curves]
    low = min([0.0, *(float(v[np.isfinite(v)].min()) for v in arrays if np.isfinite(v).any())])
    top = _highest(arrays, at_least=0.1)
    timed = [(curve, *_in_time(curve, start_s)) for curve in curves]
    last_s = max([end_s, *(float(times.max()) for _, times, _ in timed if times.size)])
    axes = Axes(start_s, last_s, max(low, -top), top * 1.05, 96.0)
    parts = [_time_axis(axes)]
    for value in _ticks(axes.y_low, axes.y_high, 4):
        parts.append(_rule(_LEFT, axes.y(value), _RIGHT, axes.y(value)))
        parts.append(_text(_LEFT - 4, axes.y(value) + 3.5, f"{value:g}", "end"))
    parts += [_path(times, values, curve, axes) for curve, times, values in timed]
    parts += [_legend(curve, place) for place, curve in enumerate(curves)]
    parts += [_upright_text(axes, "opening, eye dist."), _text(_RIGHT, 122, _TIME_LABEL, "end")]
    return _svg(142.0, title, parts)


def clock(time_s: float, decimals: int | None = None) -> str:
    """Write seconds as min:s, 75.5 as 1:15.5; without `decimals`, with those that it has, at most two."""
    digits = 2 if decimals is None else decimals
    units, scale = round(abs(time_s) * 10**digits), 10**digits
    seconds, part = divmod(units, scale)
    fraction = f".{part:0{digits}d}" if digits else ""
    written = f"{seconds // 60}:{seconds % 60:02d}" + (
        fraction.rstrip("0").rstrip(".") if decimals is None else fraction
    )
    return f"−{written}" if units and time_s < 0 else written


def decimate(values: np.ndarray, max_points: int = MAX_POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Return (positions, values) of at most `max_points` points; the highest of each bin stays, NaN where it has none.

    Peaks must survive: they are what the eye looks for. Infinite values count as not measured.
    """
    finite = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
    if len(finite) <= max_points:
        return np.arange(len(finite), dtype=np.float64), finite
    edges = np.linspace(0, len(finite), max_points + 1).astype(int)
    peaks = np.maximum.reduceat(np.where(np.isnan(finite), -np.inf, finite), edges[:-1])
    return (edges[:-1] + edges[1:] - 1) / 2.0, np.where(np.isinf(peaks), np.nan, peaks)


def _highest(arrays: Sequence[np.ndarray], at_least: float) -> float:
    finite = [float(np.abs(a[np.isfinite(a)]).max()) for a in arrays if np.isfinite(a).any()]
    return max([at_least, *finite])


def _runs(values: np.ndarray) -> list[tuple[int, int]]:
    """Half-open index ranges without NaN."""
    known = np.concatenate([[False], ~np.isnan(values), [False]])
    edges = np.flatnonzero(known[1:] != known[:-1])
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _area(envelope: np.ndarray, axes: Axes, sign: float, colour: str) -> str:
    positions, peaks = decimate(envelope)
    paths = []
    for start, end in _runs(peaks):
        xs = [axes.x(axes.x_low + p / ENVELOPE_RATE_HZ) for p in positions[start:end]]
        outline = " ".join(f"L{x:.1f} {axes.y(sign * v):.1f}" for x, v in zip(xs, peaks[start:end], strict=True))
        paths.append(f"M{xs[0]:.1f} {axes.y(0.0):.1f} {outline} L{xs[-1]:.1f} {axes.y(0.0):.1f}Z")
    return f'<path d="{" ".join(paths)}" fill="{colour}" stroke="{colour}" stroke-width=".6"/>' if paths else ""


def _in_time(curve: Curve, start_s: float) -> tuple[np.ndarray, np.ndarray]:
    """(times, values) of a curve in time order, [k] each, k at most MAX_POINTS; NaN parts what lies far apart."""
    times, values = curve.times_s, np.asarray(curve.values, np.float64)
    if times is None:
        times = start_s + np.arange(len(values)) / APERTURE_RATE_HZ
    order = np.argsort(times[np.isfinite(times)], kind="stable")
    times, values = times[np.isfinite(times)][order], values[np.isfinite(times)][order]
    gaps = np.flatnonzero(np.diff(times) > GAP_S) + 1
    times, values = np.insert(times, gaps, times[gaps - 1]), np.insert(values, gaps, np.nan)
    positions, kept = decimate(values)
    return np.interp(positions, np.arange(len(times)), times) if len(times) else times, kept


def _path(times: np.ndarray, values: np.ndarray, curve: Curve, axes: Axes) -> str:
    pieces = []
    for start, end in _runs(values):
        points = zip(times[start:end], values[start:end], strict=True)
        xys = [f"{axes.x(time_s):.1f} {axes.y(value):.1f}" for time_s, value in points]
        # One measured frame between two gaps would draw nothing: repeat it, the round cap shows it as a dot.
        pieces.append("M" + " L".join(xys if len(xys) > 1 else xys * 2))
    return f'<path d="{" ".join(pieces)}" {_stroke(curve)}/>' if pieces else ""


def _stroke(curve: Curve) -> str:
    dash = f' stroke-dasharray="{curve.dash}"' if curve.dash else ""
    return f'fill="none" stroke="{curve.colour}" stroke-width="1.6" stroke-linecap="round"{dash}'


def _legend(curve: Curve, place: int) -> str:
    x = _LEFT + place * 104.0
    return f'<path d="M{x:.1f} 134 L{x + 22:.1f} 134" {_stroke(curve)}/>' + _text(x + 27, 137.5, curve.name, "start")


def _swatch(x: float, label: str, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="114" width="9" height="9" fill="{colour}"/>' + _text(x + 13, 122, label, "start")


def _time_axis(axes: Axes) -> str:
    parts = [_rule(_LEFT, axes.bottom, _RIGHT, axes.bottom)]
    for value in _ticks(axes.x_low, axes.x_high, 6):
        x = axes.x(value)
        parts.append(_rule(x, axes.bottom, x, axes.bottom + 3) + _text(x, axes.bottom + 14, clock(value), "middle"))
    return "".join(parts)


def _ticks(low: float, high: float, at_most: int) -> list[float]:
    """Round numbers inside [low, high], at most about `at_most`."""
    raw = (high - low) / at_most
    power = 10.0 ** np.floor(np.log10(raw))
    step = float(power * next(factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999))
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [round(step * i, 6) + 0.0 for i in range(first, last + 1)]


def _mirror_ticks(axes: Axes, top: float) -> list[tuple[float, str]]:
    return [(_TOP + 4, f"{top:.2g}"), (axes.y(0.0), "0"), (axes.bottom - 4, f"{top:.2g}")]


def _upright(axes: Axes, at_s: float) -> str:
    x = axes.x(at_s)
    return f'<path d="M{x:.1f} {_TOP} V{axes.bottom}" stroke="{GRID_COLOUR}" stroke-dasharray="3 3"/>'


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f} L{x2:.1f} {y2:.1f}" stroke="{GRID_COLOUR}" stroke-width=".6"/>'


def _upright_text(axes: Axes, label: str) -> str:
    middle = (axes.bottom + _TOP) / 2
    return (
        f'<text x="9" y="{middle:.1f}" text-anchor="middle" fill="currentColor" font-size="{_FONT}" '
        f'transform="rotate(-90 9 {middle:.1f})">{escape(label)}</text>'
    )


def _text(x: float, y: float, label: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor" '
        f'font-size="{_FONT}">{escape(label)}</text>'
    )


def _svg(height: float, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {_WIDTH:g} {height:g}" role="img" '
        f'font-family="inherit"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )
