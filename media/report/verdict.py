"""The judgement at the top of a report: what to ship, what to look at first, what is known to be wrong."""

from dataclasses import dataclass
from typing import Literal

from media.report.lines import Finding, findings
from media.report.measures import Check, checks, length_is_exact, loudness_check, onset_check, wer_check
from schemas.dub import LineReport, Receipt

NOTICE = "Synthetic media: voices in this dub are computer-generated. Say so wherever you publish it."
NOTICE_LIPS = (
    "Synthetic media: voices in this dub are computer-generated and lips are computer-altered. "
    "Say so wherever you publish it."
)
REMINDER = "These checks cannot judge the translation's sense and tone: a person who knows both languages has to."


@dataclass(frozen=True)
class Review:
    """A line that stands out; `number` is its place in the report, from 1."""

    number: int
    line: LineReport
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Verdict:
    """`state` for colour, words for everybody; `failed` checks, and the lines to `review` with what stands out."""

    state: Literal["pass", "check", "fail"]
    headline: str
    failed: tuple[Check, ...]
    review: tuple[Review, ...]


@dataclass(frozen=True)
class Notice:
    """A warning and what to do about it; `advice` is empty where the text itself says it."""

    text: str
    advice: str


def verdict(receipt: Receipt) -> Verdict:
    """Judge the delivery: failed checks first, then lines that stand out, then warnings."""
    judged = checks(receipt)
    failed = tuple(check for check in judged if check.state == "fail")
    found = (Review(number, line, findings(line)) for number, line in enumerate(receipt.lines, start=1))
    review = tuple(item for item in found if item.findings)
    wrong = [item for item in review if item.findings[0].severity == "problem"]
    if failed:
        total = sum(check.state in ("pass", "fail") for check in judged)
        return Verdict("fail", f"Do not ship yet: {len(failed)} of {_count(total, 'check')} failed", failed, review)
    if wrong:
        return Verdict(
            "check", f"Every check passed, but {_count(len(wrong), 'line')} may be wrong: listen", failed, review
        )
    if review or notices(receipt):
        what = [_count(len(review), "line")] * bool(review) + ["the warnings"] * bool(notices(receipt))
        return Verdict("check", f"No check failed; look at {' and '.join(what)} before you ship", failed, review)
    return Verdict("pass", "Every check passed", failed, review)


def notice(receipt: Receipt) -> str:
    """Say that the media are synthetic, and in what."""
    return NOTICE_LIPS if any(line.frames_rendered for line in receipt.lines) else NOTICE


def tiles(receipt: Receipt) -> tuple[Check, ...]:
    """Give the figures of the verdict strip, under short names."""
    measures = receipt.measures
    dubbed = sum(line.status == "dubbed" for line in receipt.lines)
    kept = len(receipt.lines) - dubbed
    return (
        Check("Lines", f"{dubbed} dubbed", f"{kept} kept in the original", "info", ""),
        _renamed(wer_check(measures), "Words misheard (WER)"),
        _renamed(onset_check(measures), "Start error, p95"),
        _renamed(loudness_check(measures, receipt.request.loudness), "Loudness"),
        _length_tile(receipt),
        _picture_tile(receipt),
    )


def notices(receipt: Receipt) -> tuple[Notice, ...]:
    """List the run's own warnings, then what the checks and the licences give reason to warn of."""
    judged = checks(receipt)
    found = [Notice(text, "") for text in receipt.warnings]
    found += [
        Notice(f"{check.name}: {check.value}, target {check.target}", check.advice)
        for check in judged
        if check.state == "fail"
    ]
    unknown = [check.name for check in judged if check.state == "unknown"]
    if unknown:
        found.append(Notice(f"Not measured: {', '.join(unknown)}", "judge these by ear and eye"))
    barred = [model.name for model in receipt.models if not model.commercial_use]
    if barred:
        advice = "use this dub for non-commercial purposes only, or dub again with commercial use asked for"
        found.append(Notice(f"The licence of these weights forbids commercial use: {', '.join(barred)}", advice))
    return tuple(found)


def _length_tile(receipt: Receipt) -> Check:
    exact = length_is_exact(receipt.measures)
    target = f"{receipt.measures.dub_samples} of {receipt.measures.source_samples} samples"
    return Check("Length exact", "yes" if exact else "no", target, "pass" if exact else "fail", "")


def _picture_tile(receipt: Receipt) -> Check:
    if receipt.request.lips == "keep":
        equal = receipt.measures.video_packets_equal
        if equal is None:
            return Check("Picture untouched", "not measured", "lips kept", "unknown", "")
        state: Literal["pass", "fail"] = "pass" if equal else "fail"
        return Check("Picture untouched", "yes" if equal else "no", "lips kept", state, "")
    count = sum(line.frames_rendered > 0 for line in receipt.lines)
    return Check("Picture untouched", "no, as asked", f"lips re-animated in {_count(count, 'line')}", "info", "")


def _renamed(check: Check, name: str) -> Check:
    return Check(name, check.value, check.target, check.state, check.advice)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
