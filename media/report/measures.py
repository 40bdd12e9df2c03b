"""Which measures of a delivery pass: every target of the report stands here once, with its reason."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from media.loudness import PROFILES
from schemas.dub import Measures, Profile, Receipt

State = Literal["pass", "fail", "unknown", "info"]

WER_MAX = 0.12
"""The recogniser itself mishears up to about a tenth of clear synthetic speech; beyond that the voice is at fault."""

ONSET_P95_MAX_S = 0.2
"""ITU-R BT.1359 accepts sound up to 185 ms late; the start of a line is found to within about 15 ms."""

NULL_TEST_MAX_DB = -60.0
"""Dialogue + M&E against the source: 60 dB down nobody hears the difference, and 16-bit rounding stays well below."""

LOUDNESS_TOLERANCE_LU = 1.0
"""What EBU R 128 allows where an exact level cannot be met in practice, and Apple's podcast delivery everywhere."""

TRUE_PEAK_MAX_DBTP = -1.0
"""EBU R 128 and Apple's podcast delivery alike, for the encoded file: decoders overshoot above it."""

OUTSIDE_MASK_PSNR_MIN_DB = 35.0
"""x264 at crf 18 keeps real clips at 42 to 48 dB; a picture shifted by two pixels has 25 to 29 dB."""


@dataclass(frozen=True)
class Check:
    """One measure beside its target; `advice` says what to do where it fails."""

    name: str
    value: str
    target: str
    state: State
    advice: str


def checks(receipt: Receipt) -> tuple[Check, ...]:
    """Judge every measure of the receipt, in the order of the report."""
    m = receipt.measures
    return (
        _length_check(m),
        _frames_check(m),
        picture_check(receipt),
        wer_check(m),
        onset_check(m),
        _mean_onset(m),
        loudness_check(m, receipt.request.loudness),
        _peak_check(m),
        _null_check(m),
    )


def wer_check(measures: Measures) -> Check:
    """Judge the words recognised back from the dub."""
    return Check(
        "Words misheard (WER, all lines)",
        percent(measures.wer),
        f"≤ {percent(WER_MAX)}",
        _at_most(measures.wer, WER_MAX),
        "listen to the lines with marked words; respell or rephrase what the voice does not say clearly",
    )


def onset_check(measures: Measures) -> Check:
    """Judge how far the lines start from where the original lines started."""
    return Check(
        "Start error of the lines, 95th percentile",
        milliseconds(measures.onset_error_p95_s),
        f"≤ {milliseconds(ONSET_P95_MAX_S)}",
        _at_most(measures.onset_error_p95_s, ONSET_P95_MAX_S),
        "listen to the lines with a late or early start; shorten the line before them, or split the cue",
    )


def loudness_check(measures: Measures, profile: Profile) -> Check:
    """Judge the integrated loudness against the profile that was asked for."""
    target, value = PROFILES[profile].integrated_lufs, measures.integrated_lufs
    error = None if value is None else abs(value - target)
    return Check(
        f"Loudness (profile {profile})",
        number(value, "LUFS", 1),
        f"{number(target, 'LUFS', 0)} ± {LOUDNESS_TOLERANCE_LU:g} LU",
        _at_most(error, LOUDNESS_TOLERANCE_LU),
        "normalise the dub's track to the profile again before delivery",
    )


def picture_check(receipt: Receipt) -> Check:
    """Judge the picture: untouched where lips are kept, else unchanged outside the re-animated mouths."""
    measures = receipt.measures
    if receipt.request.lips == "keep":
        states: dict[bool | None, State] = {True: "pass", False: "fail", None: "unknown"}
        words = {True: "yes, every packet is the source's", False: "no, packets differ", None: "not measured"}
        equal = measures.video_packets_equal
        advice = "deliver the sound track only, on the original picture"
        return Check("Picture untouched", words[equal], "yes", states[equal], advice)
    psnr_db = measures.outside_mask_psnr_db
    return Check(
        "Picture outside the re-animated mouths",
        "identical" if psnr_db == math.inf else number(psnr_db, "dB PSNR", 1),
        f"≥ {number(OUTSIDE_MASK_PSNR_MIN_DB, 'dB PSNR', 0)}",
        _at_most(None if psnr_db is None else -psnr_db, -OUTSIDE_MASK_PSNR_MIN_DB),
        "compare the dub's colours and framing with the source's before delivery",
    )


def length_is_exact(measures: Measures) -> bool:
    """Say whether the dub has as many samples as the source."""
    return measures.source_samples == measures.dub_samples


def percent(share: float | None) -> str:
    """Write a share as per cent."""
    return _written(share, lambda v: f"{v * 100:.1f}".removesuffix(".0") + " %")


def milliseconds(time_s: float | None) -> str:
    """Write a time in milliseconds."""
    return _written(time_s, lambda v: f"{v * 1000:.0f} ms")


def number(value: float | None, unit: str, digits: int) -> str:
    """Write a value with its unit and a true minus sign."""
    return _written(value, lambda v: f"{v:.{digits}f} {unit}")


def _written(value: float | None, write: Callable[[float], str]) -> str:
    if value is None or math.isnan(value):
        return "not measured"
    return write(value).replace("-", "−").replace("inf", "∞")


def _at_most(value: float | None, limit: float) -> State:
    if value is None or math.isnan(value):
        return "unknown"
    return "pass" if value <= limit else "fail"


def _length_check(m: Measures) -> Check:
    difference = m.dub_samples - m.source_samples
    state: State = "pass" if length_is_exact(m) else "fail"
    value = "exact" if difference == 0 else f"{abs(difference)} samples {'longer' if difference > 0 else 'shorter'}"
    return Check("Length against the source", value, "exact to the sample", state, "do not lay it over the source")


def _frames_check(m: Measures) -> Check:
    state: State = "pass" if m.source_frames == m.dub_frames else "fail"
    value = f"{m.dub_frames} of {m.source_frames}"
    return Check("Frames against the source", value, "equal", state, "do not deliver this picture: frames are missing")


def _mean_onset(m: Measures) -> Check:
    return Check("Start error of the lines, mean", milliseconds(m.onset_error_mean_s), "for information", "info", "")


def _peak_check(m: Measures) -> Check:
    return Check(
        "True peak",
        number(m.true_peak_dbtp, "dBTP", 1),
        f"≤ {number(TRUE_PEAK_MAX_DBTP, 'dBTP', 0)}",
        _at_most(m.true_peak_dbtp, TRUE_PEAK_MAX_DBTP),
        "limit the dub's track again before delivery",
    )


def _null_check(m: Measures) -> Check:
    return Check(
        "Separation null test (dialogue + M&E − source)",
        number(m.null_test_db, "dB", 0),
        f"≤ {number(NULL_TEST_MAX_DB, 'dB', 0)}",
        _at_most(m.null_test_db, NULL_TEST_MAX_DB),
        "listen for missing music and effects; the stems do not sum to the source",
    )
