"""What stands out in one line of a dub, and where the heard words differ from the written ones."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import Levenshtein

from media.report.measures import milliseconds, percent
from schemas.dub import LineReport

Severity = Literal["problem", "check"]
Change = Literal["same", "added", "missing"]

LINE_WER_MAX = 0.25
"""A single line scatters more than the whole: one misheard word of four is no fault yet."""

LINE_ONSET_MAX_S = 0.2
"""As for the whole delivery (measures.ONSET_P95_MAX_S): 185 ms late is the edge of what viewers accept."""

UNFIT_MAX_S = 0.05
"""Shorter overlaps fall into the fades of the mix."""

OVERFLOW_MAX_S = 0.2
"""A voice that goes on this long after the mouth has closed is seen, as a late start is."""

SPEED_RANGE = (0.85, 1.25)
STRETCH_MAX = 1.08
"""What the engine promises; beyond it speech sounds hurried, dragged or processed."""

APERTURE_R_MIN = 0.8
"""Re-animation gives 0.96 and more where it works; below this the lips did not do what was asked."""

TOUCHED_SHARE_MAX = 0.25
"""Limited or left-out frames beyond a quarter of a line are seen as lips that do not follow the voice."""

_ROUNDING = 1e-6
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True)
class Finding:
    """One thing a reviewer should know of a line, and what to do about it."""

    severity: Severity
    text: str
    advice: str


@dataclass(frozen=True)
class Words:
    """A run of words: heard as written, heard though not written, or written though not heard."""

    change: Change
    text: str


def findings(line: LineReport) -> tuple[Finding, ...]:
    """List what stands out in a line, the worst first."""
    if line.status == "kept_original":
        advice = "give this line a translation if it shall be dubbed"
        return (Finding("check", "original voice kept", advice),)
    found = [*_speech_findings(line), *_timing_findings(line), *_lip_findings(line)]
    return tuple(sorted(found, key=lambda finding: finding.severity != "problem"))


def differences(written: str, heard: str) -> tuple[Words, ...]:
    """Align heard words with written ones by the fewest edits; case and punctuation do not count."""
    left, right = list(_tokens(written)), list(_tokens(heard))
    runs: list[Words] = []
    for step in Levenshtein.opcodes([key for key, _ in left], [key for key, _ in right]):
        missing = "".join(text for _, text in left[step.src_start : step.src_end])
        present = "".join(text for _, text in right[step.dest_start : step.dest_end])
        if step.tag == "equal":
            runs.append(Words("same", present))
            continue
        runs += [Words("missing", missing)] if missing else []
        runs += [Words("added", present)] if present else []
    return tuple(runs)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield (letters to compare, text as it stands); a sign without letters goes with the word before it."""
    key, kept = "", ""
    for piece in _pieces(text):
        letters = "".join(c for c in piece.casefold() if unicodedata.category(c)[0] in "LMN")
        if letters and key:
            yield key, kept
            kept = ""
        key, kept = letters or key, kept + piece
    if key:
        yield key, kept


def _pieces(text: str) -> Iterator[str]:
    for piece in re.findall(r"\S+\s*", unicodedata.normalize("NFC", text)):
        if _UNSPACED.search(piece):  # scripts without spaces are compared sign by sign
            yield from piece
        else:
            yield piece


def _speech_findings(line: LineReport) -> Iterator[Finding]:
    if line.heard_text is not None and not line.heard_text.strip():
        yield Finding("problem", "no words recognised in the dub", "listen to it; speak the line again")
    elif line.wer is not None and line.wer > LINE_WER_MAX:
        yield Finding("problem", f"{percent(line.wer)} of the words misheard", "listen; respell or rephrase the line")
    if line.speed is not None and not _within(line.speed, *SPEED_RANGE):
        word = "fast" if line.speed > SPEED_RANGE[1] else "slow"
        yield Finding("check", f"spoken very {word} ({line.speed:.2f}×)", "fit the translation's length to the line")
    if line.stretch is not None and line.stretch > STRETCH_MAX + _ROUNDING:
        yield Finding("check", f"compressed {line.stretch:.2f}×", "shorten the translation")


def _timing_findings(line: LineReport) -> Iterator[Finding]:
    if line.onset_error_s is not None and abs(line.onset_error_s) > LINE_ONSET_MAX_S:
        word = "late" if line.onset_error_s > 0 else "early"
        advice = "listen to it against the picture; move the cue"
        yield Finding("problem", f"starts {milliseconds(abs(line.onset_error_s))} {word}", advice)
    if line.unfit_s is not None and line.unfit_s > UNFIT_MAX_S:
        yield Finding("problem", f"runs {line.unfit_s:.2f} s into what follows", "shorten the translation")
    elif line.on_screen and line.overflow_s is not None and line.overflow_s > OVERFLOW_MAX_S:
        advice = "shorten the translation if it shows"
        yield Finding("check", f"voice goes on {line.overflow_s:.2f} s after the original's end", advice)


def _lip_findings(line: LineReport) -> Iterator[Finding]:
    frames = line.frames_rendered + line.frames_skipped
    if line.aperture_r is not None and line.aperture_r < APERTURE_R_MIN:
        text = f"lips follow what was asked only loosely (r {line.aperture_r:.2f})".replace("-", "−")
        yield Finding("check", text, "look at the mouth; keep the lips of this video if it looks wrong")
    if line.frames_bounded > TOUCHED_SHARE_MAX * max(line.frames_rendered, 1):
        text = f"mouth opening limited in {line.frames_bounded} of {line.frames_rendered} frames"
        yield Finding("check", text, "look at the mouth: it opens less than the voice suggests")
    if line.frames_rendered and line.frames_skipped > TOUCHED_SHARE_MAX * frames:
        text = f"no usable face in {line.frames_skipped} of {frames} frames"
        yield Finding("check", text, "look at the mouth: it was left as it was in these frames")


def _within(value: float, low: float, high: float) -> bool:
    return low - _ROUNDING <= value <= high + _ROUNDING
