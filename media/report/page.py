"""The report of a dub as one HTML file: everything is inside, nothing is fetched."""

import base64
import hashlib
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import quote, urlsplit

import jinja2
import numpy as np

from media.report import measures, verdict
from media.report.lines import Finding, Words, differences, findings
from media.report.plots import DETECTED_COLOUR, DUB_COLOUR, SOURCE_COLOUR, Curve, aperture_svg, clock, waveform_svg
from schemas.dub import LineReport, Receipt

_VIDEO_TYPES = {".webm": "video/webm", ".mkv": "video/x-matroska", ".ogv": "video/ogg"}
"""By file ending; browsers play QuickTime files where they are called MP4."""


@dataclass(frozen=True)
class LineMedia:
    """What can be heard and seen of one line.

    Attributes:
        id: As in the receipt.
        source_clip: The original line as an audio file, or None.
        dub_clip: The dub of it, likewise.
        clip_media_type: Of both clips: "audio/mp4", "audio/mpeg", "audio/ogg".
        source_envelope: [n] peaks, 0 to 1, at 100 Hz from 0.3 s before the line (0 s at the earliest) to at
            least 0.3 s after it.
        dub_envelope: [n] likewise.
        source_aperture: [f] lip opening in eye distances, NaN where not seen, or None.
        asked_aperture: [f] likewise, as the take asked for it.
        detected_aperture: [f] likewise, as found again in the finished picture.
        aperture_times_s: [f] where on the video's time line the openings lie; None: at 25 fps from the line's start.
    """

    id: str
    source_clip: bytes | None
    dub_clip: bytes | None
    clip_media_type: str
    source_envelope: np.ndarray
    dub_envelope: np.ndarray
    source_aperture: np.ndarray | None
    asked_aperture: np.ndarray | None
    detected_aperture: np.ndarray | None
    aperture_times_s: np.ndarray | None = None


@dataclass(frozen=True)
class LineView:
    """One line as the page shows it: the clips as data URIs, the plots as SVG, or None where there is none."""

    report: LineReport
    findings: tuple[Finding, ...]
    words: tuple[Words, ...]
    source_uri: str | None
    dub_uri: str | None
    waveform: str | None
    aperture: str | None


def render_report(
    receipt: Receipt,
    lines: Sequence[LineMedia],
    *,
    video_name: str | None,
    video: bytes | None,
    contact_sheet_png: bytes | None,
    video_link: str | None = None,
) -> str:
    """Write the report of a dub.

    Args:
        receipt: What was made and measured; its lines are the lines of the report.
        lines: Clips and curves for as many of these lines as there are.
        video_name: The dub's file name beside the report.
        video: The dub itself, to be embedded; None: the page plays the file of that name.
        contact_sheet_png: The lips before and after.
        video_link: URL of the dub, which is played where that file is not beside the page.

    Returns:
        HTML that loads nothing from anywhere but, where `video` is None, the file `video_name` beside it, or
        `video_link`.
    """
    media_of = {media.id: media for media in lines}
    page = _environment().get_template("page.html")
    html = page.render(
        receipt=receipt,
        name=PurePath(receipt.request.video).name or receipt.request.video,
        notice=verdict.notice(receipt),
        reminder=verdict.REMINDER,
        verdict=verdict.verdict(receipt),
        tiles=verdict.tiles(receipt),
        notices=verdict.notices(receipt),
        checks=measures.checks(receipt),
        lines=[_line_view(report, media_of.get(report.id)) for report in receipt.lines],
        video_source=_video_source(video_name, video),
        video_name=video_name if video is None else None,
        video_link=video_link if video is None else None,
        video_host=_origin(video_link) if video is None and video_link else "",
        sheet_uri=None if contact_sheet_png is None else _data_uri(contact_sheet_png, "image/png"),
        stages=_stages(receipt),
    )
    # File names that are not UTF-8 reach us with surrogates, which no file can hold.
    return html.encode("utf-8", "replace").decode("utf-8")


def _stages(receipt: Receipt) -> list[tuple[str, float | None, float | None, float]]:
    """(stage, seconds passed, processor seconds, share of the longest stage)."""
    wall, cpu = receipt.stage_wall_s, receipt.stage_cpu_s
    longest = max(wall.values(), default=0.0) or 1.0
    return [
        (name, wall.get(name), cpu.get(name), wall.get(name, 0.0) / longest) for name in dict.fromkeys([*wall, *cpu])
    ]


def templates() -> jinja2.Environment:
    """The pages of this folder: everything that is put into them is escaped, and nothing may be missing."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _environment() -> jinja2.Environment:
    environment = templates()
    environment.filters |= {
        "csp_hash": _csp_hash,
        "time": lambda time_s: clock(time_s, decimals=1),
        "percent": measures.percent,
        "ms": measures.milliseconds,
        "number": measures.number,
        "size": _size,
    }
    return environment


def _csp_hash(block: str) -> str:
    """The source expression by which a content security policy allows just this inline block."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(str(block).encode()).digest()).decode() + "'"


def _size(size_bytes: int) -> str:
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    power = min(int(math.log10(size_bytes)) // 3, 4)
    return f"{size_bytes / 1000**power:.3g} {('kB', 'MB', 'GB', 'TB')[power - 1]}"


def _data_uri(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _video_source(name: str | None, video: bytes | None) -> str | None:
    if video is not None:
        return _data_uri(video, _VIDEO_TYPES.get(PurePath(name or "").suffix.lower(), "video/mp4"))
    # "./" keeps a name such as "javascript:x" or "//host/x" a file beside the page.
    return None if name is None else "./" + quote(os.fsencode(name), safe="")


def _origin(url: str) -> str:
    """Scheme, host and port, which a page must be allowed to load from."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _line_view(report: LineReport, media: LineMedia | None) -> LineView:
    words = differences(report.target_text or "", report.heard_text or "") if report.target_text else ()
    found = findings(report)
    if media is None:
        return LineView(report, found, words, None, None, None, None)
    return LineView(
        report,
        found,
        words,
        None if media.source_clip is None else _data_uri(media.source_clip, media.clip_media_type),
        None if media.dub_clip is None else _data_uri(media.dub_clip, media.clip_media_type),
        _waveform(report, media),
        _aperture(report, media),
    )


def _waveform(report: LineReport, media: LineMedia) -> str | None:
    if not len(media.source_envelope) and not len(media.dub_envelope):
        return None
    title = f"Waveforms of line {report.id}: the source above, the dub below, dashed lines at the line's start and end"
    return waveform_svg(media.source_envelope, media.dub_envelope, report.span.start_s, report.span.end_s, title=title)


def _aperture(report: LineReport, media: LineMedia) -> str | None:
    curves = [
        Curve(name, values, colour, dash=dash, times_s=media.aperture_times_s)
        for name, values, colour, dash in (
            ("source", media.source_aperture, SOURCE_COLOUR, "1 3"),
            ("asked", media.asked_aperture, DUB_COLOUR, "6 3"),
            ("re-detected", media.detected_aperture, DETECTED_COLOUR, ""),
        )
        if values is not None and np.isfinite(values).any()
    ]
    names = ", ".join(curve.name for curve in curves)
    title = f"Lip opening over line {report.id}, in eye distances: {names}"
    return aperture_svg(curves, report.span.start_s, report.span.end_s, title=title) if curves else None
