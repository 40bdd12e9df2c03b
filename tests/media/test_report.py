"""The report of a dub: judged rightly, safe to open, complete, and readable without colour or network.

One long file, since the page, the verdict and the markdown are all tested on the same built receipts.
"""

import base64
import hashlib
import math
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.report import LineMedia, receipt_markdown, render_report
from media.report.lines import findings
from media.report.measures import (
    LOUDNESS_TOLERANCE_LU,
    NULL_TEST_MAX_DB,
    ONSET_P95_MAX_S,
    OUTSIDE_MASK_PSNR_MIN_DB,
    TRUE_PEAK_MAX_DBTP,
    WER_MAX,
    checks,
)
from media.report.verdict import verdict
from schemas.artifact import ModelRef
from schemas.dub import DubRequest, FileRecord, LineReport, Measures, Receipt, Voice
from schemas.media import TimeSpan

VOID = {"meta", "link", "br", "img", "input", "hr", "source"}
HOSTILE = "<script>alert('x')</script> \"quoted\" & `tick` | pipe\n</style><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """A page as its tags: raises where they do not nest, keeps texts, attributes and addresses."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        assert len({name for name, _ in attrs}) == len(attrs), f"{tag} has an attribute twice"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def values(self, attribute: str) -> list[str]:
        return [value for _, name, value in self.attributes if name == attribute]

    def text(self, tag: str | None = None) -> str:
        return " ".join(text for of, text in self.texts if tag is None or of == tag)


def make_line(**fields: Any) -> LineReport:
    base: dict[str, Any] = {
        "id": "L001",
        "speaker": "S1",
        "span": TimeSpan(start_s=1.0, end_s=3.0),
        "source_text": "Good morning",
        "target_text": "Buenos días",
        "heard_text": "Buenos días",
        "wer": 0.0,
        "onset_error_s": 0.02,
    }
    return LineReport(**base | fields)


def make_receipt(*lines: LineReport, measures: dict[str, Any] | None = None, **fields: Any) -> Receipt:
    good: dict[str, Any] = {
        "source_samples": 96000,
        "dub_samples": 96000,
        "source_frames": 50,
        "dub_frames": 50,
        "integrated_lufs": -16.0,
        "true_peak_dbtp": -2.0,
        "wer": 0.05,
        "onset_error_mean_s": 0.05,
        "onset_error_p95_s": 0.1,
        "null_test_db": -90.0,
        "video_packets_equal": True,
        "outside_mask_psnr_db": None,
    }
    base: dict[str, Any] = {
        "jamdub_version": "0.1.0",
        "run_id": "run-1",
        "created_at": "2026-01-01T00:00:00Z",
        "request": DubRequest(video="/films/a.mp4", target_language="es"),
        "source_language": "en",
        "inputs": (FileRecord(name="a.mp4", sha256="a" * 64, size_bytes=5_000_000),),
        "outputs": (FileRecord(name="a.es.mp4", sha256="b" * 64, size_bytes=900),),
        "models": (ModelRef(name="voice", revision="1", sha256="c" * 64, licence="MIT", commercial_use=True),),
        "voices": (Voice(speaker="S1", blend=(("ef_dora", 1.0),), similarity=0.8, median_f0_hz=None),),
        "lines": lines or (make_line(),),
        "measures": Measures(**good | (measures or {})),
        "stage_wall_s": {"speak": 2.0, "mix": 0.0},
        "stage_cpu_s": {"speak": 3.5},
        "warnings": (),
    }
    return Receipt(**base | fields)


def make_media(line_id: str = "L001", **fields: Any) -> LineMedia:
    base: dict[str, Any] = {
        "id": line_id,
        "source_clip": b"source sound",
        "dub_clip": b"dub sound",
        "clip_media_type": "audio/mp4",
        "source_envelope": np.linspace(0, 0.5, 260),
        "dub_envelope": np.linspace(0.4, 0, 260),
        "source_aperture": np.full(50, 0.1),
        "asked_aperture": np.full(50, 0.05),
        "detected_aperture": np.full(50, 0.06),
    }
    return LineMedia(**base | fields)


def render(receipt: Receipt, *media: LineMedia, **fields: Any) -> str:
    base: dict[str, Any] = {"video_name": "a.es.mp4", "video": b"the video", "contact_sheet_png": b"the sheet"}
    return render_report(receipt, media, **base | fields)


# The page


def test_page_is_well_formed_and_complete() -> None:
    lines = tuple(make_line(id=f"line {number}") for number in range(6))
    page = Page(render(make_receipt(*lines), *(make_media(line.id) for line in lines)))
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in page.values("href") if href.startswith("#")} <= set(ids)
    for line in lines:
        assert line.id in page.text("bdi")
    assert [tag for tag, name, _ in page.attributes if name == "controls"] == ["video"] + ["audio"] * 12
    assert len(page.values("viewbox")) == 2 * 6 + 2  # two plots a line, a bar a stage
    assert "Synthetic media" in page.text("p")
    for digest in "abc":
        assert digest * 64 in page.text("code")


def test_page_without_any_media_has_every_line() -> None:
    html = render(make_receipt(), video=None, video_name=None, contact_sheet_png=None)
    page = Page(html)
    assert "L001" in page.text()
    assert not page.values("src")


def test_page_loads_nothing_from_elsewhere() -> None:
    receipt = make_receipt(make_line(source_text="see https://example.org/x.js", speaker="//example.org"))
    html = render(receipt, make_media())
    page = Page(html)
    for attribute in ("src", "href", "poster", "srcset", "data", "action", "xlink:href"):
        for value in page.values(attribute):
            assert value.startswith(("data:", "#")), f"{attribute} loads {value[:60]}"
    assert not re.search(r"url\(|@import", page.text("style"))
    assert not re.search(r"fetch|XMLHttpRequest|import|https?:|WebSocket|innerHTML|eval", page.text("script"))
    policy = page.values("content")[0]
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"https?:|\*|unsafe", policy)


def test_policy_allows_exactly_this_script_and_style() -> None:
    page = Page(render(make_receipt()))
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.text(tag).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in page.values("content")[0]
    assert not [name for _, name, _ in page.attributes if name == "style" or name.startswith("on")]


def test_hostile_texts_stay_texts() -> None:
    line = make_line(id=HOSTILE, speaker=HOSTILE, source_text=HOSTILE, target_text=HOSTILE, heard_text=HOSTILE)
    receipt = make_receipt(
        line,
        request=DubRequest(video=f"/films/{HOSTILE.replace('/', '')}", target_language="es", script=HOSTILE),
        run_id=HOSTILE,
        warnings=(HOSTILE,),
        inputs=(FileRecord(name=HOSTILE, sha256=HOSTILE, size_bytes=0),),
        voices=(Voice(speaker=HOSTILE, blend=((HOSTILE, 1.0),), similarity=math.nan, median_f0_hz=100.0),),
        stage_wall_s={HOSTILE: 1.0},
    )
    media = make_media(HOSTILE, clip_media_type=HOSTILE)
    page = Page(render(receipt, media, video=None, video_name=HOSTILE))
    tags = [tag for tag, _, _ in page.attributes]
    assert not page.values("onerror")
    assert tags.count("img") == 2  # src and alt of the contact sheet
    assert len([tag for tag, _ in page.texts if tag == "script"]) == 1
    assert HOSTILE in page.text("dd")


@pytest.mark.parametrize(
    "name", ["javascript:alert(1)", "//example.org/x.mp4", "-a b?#'\".mp4", "\udcff.mp4", "día.mp4"]
)
def test_linked_video_is_a_file_beside_the_page(name: str) -> None:
    html = render(make_receipt(), video=None, video_name=name)
    (source,) = [value for tag, attribute, value in Page(html).attributes if tag == "video" and attribute == "src"]
    assert re.fullmatch(r"\./[A-Za-z0-9._~%-]+", source)
    html.encode("utf-8")


def test_a_link_is_played_where_the_file_is_not_beside_the_page() -> None:
    link = "https://s3.example.com:9000/jamdub/store/sha256/ab/abc?X-Amz-Signature=1&X-Amz-Date=2"
    page = Page(render(make_receipt(), video=None, video_name="a.es.mp4", video_link=link))
    assert [value for tag, name, value in page.attributes if (tag, name) == ("source", "src")] == ["./a.es.mp4", link]
    (policy,) = [value for value in page.values("content") if "default-src" in value]
    (media,) = [part for part in policy.split(";") if "media-src" in part]
    assert "https://s3.example.com:9000" in media.split() and "Signature" not in policy
    embedded = Page(render(make_receipt(), video_link=link))
    assert link not in embedded.values("src")


def test_page_adds_little_to_what_it_embeds() -> None:
    lines = tuple(make_line(id=f"L{number}") for number in range(10))
    long = np.abs(np.sin(np.arange(3000.0)))
    media = [make_media(line.id, source_envelope=long, dub_envelope=long, asked_aperture=long) for line in lines]
    assert len(render(make_receipt(*lines), *media)) < 60_000 + 40_000 * len(lines)


def test_curves_at_their_own_times_end_where_the_line_ends() -> None:
    times_s = np.arange(1.0, 3.0, 1 / 60)  # a 60 fps video: at 25 fps the curve would run to 5.8 s
    curve = np.full(len(times_s), 0.1)
    media = make_media(source_aperture=curve, asked_aperture=curve, detected_aperture=curve, aperture_times_s=times_s)
    html = render(make_receipt(), media)
    labels = re.findall(r'text-anchor="middle"[^>]*>([^<]+)<', html[html.index("Lip opening over") :])
    assert "0:03" in labels and "0:05" not in labels


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_keep_contrast(scheme: int) -> None:
    style = Page(render(make_receipt())).text("style")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", blocks[scheme]))
    pairs = [(ink, ground) for ink in ("text", "muted", "link") for ground in ("ground", "panel")]
    pairs += [("bad", "ground"), *((name, f"{name}-ground") for name in ("good", "bad", "look", "notice"))]
    for ink, ground in pairs:
        assert contrast(colours[ink], colours[ground]) >= 4.5, f"{ink} on {ground}"


@pytest.mark.parametrize("ground", ["#ffffff", "#14171c"])
def test_curves_keep_contrast(ground: str) -> None:
    html = render(make_receipt(), make_media())
    assert ground in html
    for colour in set(re.findall('(?:fill|stroke)="(#[0-9a-f]{6})"', html)):
        assert contrast(colour, ground) >= 3.0, colour


def contrast(one: str, other: str) -> float:
    """Source: WCAG 2.2, contrast ratio and relative luminance."""

    def luminance(colour: str) -> float:
        shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


# The judgement


LIMITS = [
    ("wer", WER_MAX, WER_MAX + 0.01, "Words misheard"),
    ("onset_error_p95_s", ONSET_P95_MAX_S, ONSET_P95_MAX_S + 0.01, "95th percentile"),
    ("null_test_db", NULL_TEST_MAX_DB, NULL_TEST_MAX_DB + 1, "null test"),
    ("null_test_db", -math.inf, math.inf, "null test"),
    ("integrated_lufs", -16 + LOUDNESS_TOLERANCE_LU, -16 + LOUDNESS_TOLERANCE_LU + 0.1, "Loudness"),
    ("integrated_lufs", -16 - LOUDNESS_TOLERANCE_LU, -16 - LOUDNESS_TOLERANCE_LU - 0.1, "Loudness"),
    ("true_peak_dbtp", TRUE_PEAK_MAX_DBTP, TRUE_PEAK_MAX_DBTP + 0.1, "True peak"),
    ("dub_samples", 96000, 95999, "Length"),
    ("dub_frames", 50, 49, "Frames"),
    ("video_packets_equal", True, False, "Picture untouched"),
]


def test_targets_are_those_promised() -> None:
    assert (WER_MAX, ONSET_P95_MAX_S, NULL_TEST_MAX_DB, LOUDNESS_TOLERANCE_LU) == (0.12, 0.2, -60.0, 1.0)


@pytest.mark.parametrize(("field", "good", "bad", "name"), LIMITS)
def test_measures_pass_at_the_limit_and_fail_beyond(field: str, good: Any, bad: Any, name: str) -> None:
    passing, failing = make_receipt(measures={field: good}), make_receipt(measures={field: bad})
    assert [check.state for check in checks(passing) if name in check.name] == ["pass"]
    assert verdict(passing).state == "pass"
    (failed,) = [check for check in checks(failing) if check.state == "fail"]
    assert name in failed.name and failed.advice
    assert verdict(failing).state == "fail"
    for shown in (Page(render(failing)).text(), receipt_markdown(failing).replace("\\", "")):
        assert "1 of 8 checks failed" in shown
        assert failed.advice in shown and "✗ fail" in shown


@pytest.mark.parametrize("value", [None, math.nan])
@pytest.mark.parametrize("field", ["wer", "onset_error_p95_s", "integrated_lufs", "true_peak_dbtp"])
def test_what_was_not_measured_is_not_called_passed(field: str, value: float | None) -> None:
    receipt = make_receipt(measures={field: value})
    assert sum(check.state == "unknown" for check in checks(receipt)) == 1
    assert verdict(receipt).state == "check"
    assert "not measured" in Page(render(receipt)).text()


@pytest.mark.parametrize(
    ("psnr_db", "state"),
    [
        (OUTSIDE_MASK_PSNR_MIN_DB, "pass"),
        (OUTSIDE_MASK_PSNR_MIN_DB - 0.1, "fail"),
        (math.inf, "pass"),
        (None, "unknown"),
    ],
)
def test_reanimated_picture_is_judged_outside_the_mouths(psnr_db: float | None, state: str) -> None:
    request = DubRequest(video="a.mp4", target_language="es", lips="reanimate")
    measures = {"video_packets_equal": None, "outside_mask_psnr_db": psnr_db}
    receipt = make_receipt(make_line(frames_rendered=50), request=request, measures=measures)
    assert [check.state for check in checks(receipt) if "Picture" in check.name] == [state]
    text = Page(render(receipt)).text()
    assert "no, as asked" in text and "lips are computer-altered" in text


def test_broadcast_profile_has_its_own_target() -> None:
    request = DubRequest(video="a.mp4", target_language="es", loudness="ebu-23")
    states = {
        value: [check.state for check in checks(make_receipt(request=request, measures={"integrated_lufs": value}))]
        for value in (-23.0, -16.0)
    }
    assert "fail" not in states[-23.0] and "fail" in states[-16.0]


def test_weights_barred_from_commerce_are_warned_of() -> None:
    model = ModelRef(name="xtts", revision="2", sha256="d" * 64, licence="CPML", commercial_use=False)
    receipt = make_receipt(models=(model,))
    assert verdict(receipt).state == "check"
    assert "forbids commercial use: xtts" in Page(render(receipt)).text()


PROBLEMS: list[tuple[dict[str, Any], str]] = [
    ({"heard_text": " ", "wer": 1.0}, "problem"),
    ({"wer": 0.5}, "problem"),
    ({"onset_error_s": 0.25}, "problem"),
    ({"onset_error_s": -0.25}, "problem"),
    ({"unfit_s": 0.2, "overflow_s": 0.5, "on_screen": True}, "problem"),
    ({"overflow_s": 0.5, "on_screen": True}, "check"),
    ({"speed": 1.4}, "check"),
    ({"speed": 0.7}, "check"),
    ({"stretch": 1.2}, "check"),
    ({"aperture_r": 0.3, "frames_rendered": 50}, "check"),
    ({"frames_rendered": 50, "frames_bounded": 20}, "check"),
    ({"frames_rendered": 50, "frames_skipped": 40}, "check"),
    ({"status": "kept_original", "target_text": None, "heard_text": None, "wer": None}, "check"),
]


@pytest.mark.parametrize(("fields", "severity"), PROBLEMS)
def test_lines_that_stand_out_are_marked_by_words_and_colour(fields: dict[str, Any], severity: str) -> None:
    line = make_line(**fields)
    (found,) = findings(line)
    assert found.severity == severity
    page = Page(render(make_receipt(make_line(id="L000"), line), make_media()))
    assert {name: value for tag, name, value in page.attributes if tag == "tr" and value == severity}
    assert "#line-2" in page.values("href") and "#line-1" not in page.values("href")
    assert found.text in page.text("li") and f"{severity.capitalize()}:" in page.text("strong")


@pytest.mark.parametrize(
    "fields",
    [
        {"speed": 1.25, "stretch": 1.08},
        {"speed": 0.85, "unfit_s": 0.0, "overflow_s": 0.9},
        {"aperture_r": 0.97, "frames_rendered": 50, "frames_bounded": 3, "frames_skipped": 2, "on_screen": True},
        {"frames_skipped": 50},
    ],
)
def test_what_the_engine_promises_does_not_stand_out(fields: dict[str, Any]) -> None:
    assert findings(make_line(**fields)) == ()


def test_differences_are_marked() -> None:
    receipt = make_receipt(make_line(target_text="Buenos días a todos", heard_text="buenos tías a"))
    page = Page(render(receipt))
    assert "tías" in page.text("ins") and "días" in page.text("del") and "todos" in page.text("del")


# Markdown


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_markdown_tables_keep_their_columns(text: str, name: str) -> None:
    line = make_line(source_text=text, target_text=text, heard_text=name, speaker=name, id=HOSTILE)
    written = receipt_markdown(make_receipt(line, warnings=(text,)))
    tables = [row for row in written.splitlines() if row.startswith("| ")]
    counts = [len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in tables]
    assert sorted(set(counts)) == [5, 6, 12]
    assert len(tables) == (2 + 9) + (2 + 1) + (2 + 1)


def test_markdown_shows_texts_as_they_stand() -> None:
    written = receipt_markdown(make_receipt(make_line(source_text=HOSTILE), warnings=(HOSTILE,)))
    assert "<" not in written
    assert not re.search(r"(?<!\\)`", written)
    for word in ("# Dub of", "## Warnings", "## Measures", "## Lines", "## Models", "look at the warnings", "MIT"):
        assert word in written
