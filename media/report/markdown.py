"""The receipt as markdown, for places that show no HTML of ours."""

import re
from collections.abc import Iterable, Sequence

from media.report.lines import findings
from media.report.measures import State, checks, milliseconds, number, percent
from media.report.plots import clock
from media.report.verdict import REMINDER, notice, notices, verdict
from schemas.dub import LineReport, Receipt

STATE_WORDS: dict[State, str] = {"pass": "✓ pass", "fail": "✗ fail", "unknown": "– not measured", "info": "–"}


def receipt_markdown(receipt: Receipt) -> str:
    """Write the verdict, measures, lines, models and warnings of a receipt as GitHub-flavoured markdown."""
    judged = verdict(receipt)
    parts = [
        f"# Dub of {plain(receipt.request.video)}",
        f"**{plain(judged.headline)}**",
        f"{plain(notice(receipt))} {REMINDER}",
        "## Warnings",
        _bullets(f"{item.text}. {item.advice}" if item.advice else item.text for item in notices(receipt)),
        "## Measures",
        table(
            ("Measure", "Value", "Target", "Result"),
            [(check.name, check.value, check.target, STATE_WORDS[check.state]) for check in checks(receipt)],
        ),
        "## Lines",
        table(_LINE_HEAD, [_line_row(line) for line in receipt.lines]),
        "## Models",
        table(
            ("Model", "Revision", "Licence", "Commercial use", "SHA-256"),
            [
                (model.name, model.revision, model.licence, "yes" if model.commercial_use else "no", model.sha256)
                for model in receipt.models
            ],
        ),
    ]
    return "\n\n".join(parts) + "\n"


_LINE_HEAD = ("Line", "Time", "Speaker", "Source", "Dub", "Heard", "WER", "Start", "Speed", "Lips r", "To look at")


def _line_row(line: LineReport) -> tuple[str, ...]:
    found = "; ".join(finding.text for finding in findings(line))
    return (
        line.id,
        f"{clock(line.span.start_s, 1)} to {clock(line.span.end_s, 1)}",
        line.speaker,
        line.source_text,
        line.target_text or "",
        line.heard_text or "",
        "" if line.wer is None else percent(line.wer),
        "" if line.onset_error_s is None else milliseconds(line.onset_error_s),
        "" if line.speed is None else number(line.speed, "×", 2),
        "" if line.aperture_r is None else number(line.aperture_r, "", 2).strip(),
        found or "nothing",
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows as a table; whatever stands in a cell is shown as it stands."""
    if not rows:
        return "None."
    lines = [head, ["---"] * len(head), *([plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _bullets(texts: Iterable[str]) -> str:
    return "\n".join(f"- {plain(text)}" for text in texts) or "None."


def plain(text: str) -> str:
    """Text that markdown shows as it stands, on one line."""
    one_line = " ".join(text.split())
    return re.sub(r"([\\`*_\[\]#|~!])", r"\\\1", one_line.replace("&", "&amp;").replace("<", "&lt;"))
