"""An evaluation's report as a page with players and plots, and as a Markdown table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from media.report.page import templates
from schemas.evaluation import EvaluationReport, EvaluationRow

EXAMPLES = 3
_DIGITS = {"ms": 0, "share": 3, "r": 3, "z": 3, "1 to 5": 2, "cosine": 3}
_LESS_IS_MORE = frozenset({"wer", "boundary_median", "boundary_p95", "deviation", "jitter", "mouth_mae"})
Measures = Mapping[str, tuple[str, str]]


def evaluation_page(report: EvaluationReport, measures: Measures) -> str:
    """Render the page; it plays CLIP.wav of the rows' folders beside it.

    Args:
        measures: By name, what a person calls a measure, and its unit.
    """
    folders = {system.name: Path(system.path).absolute().as_uri() for system in report.request.systems}
    return (
        templates()
        .get_template("evaluation.html")
        .render(
            report=report,
            measures={
                name: told for name, told in measures.items() if any(name in row.measures for row in report.rows)
            },
            cell=lambda row, name: _cell(row, name, measures),
            bars={name: _bars(report, name) for name in measures},
            examples=[scores.clip for scores in report.rows[0].clips[:EXAMPLES]],
            player=lambda row, clip: f"{folders.get(row.name, quote(row.name))}/{quote(clip)}.wav",
            has_sound=lambda row: any(name in row.measures for name in ("dnsmos", "word_accuracy", "wer")),
            shown=lambda row, clip: next((own for own in row.clips if own.clip == clip), None),
            curve=_curve,
            less_is_more=_LESS_IS_MORE,
        )
    )


def evaluation_markdown(report: EvaluationReport, measures: Measures) -> str:
    """A table: mean and 95 % interval of every measure that a row has; medians of word edges are of clips' medians."""
    used = [name for name in measures if any(name in row.measures for row in report.rows)]
    header = "| row | what | n | " + " | ".join(f"{measures[name][0]} ({measures[name][1]})" for name in used) + " |"
    lines = [header, "|" + "---|" * (len(used) + 3)]
    for row in report.rows:
        cells = [_cell(row, name, measures) for name in used]
        lines.append(f"| `{row.name}` | {row.about} | {len(row.clips)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(row: EvaluationRow, name: str, measures: Measures) -> str:
    measure = row.measures.get(name)
    if measure is None:
        return "–"
    digits = _DIGITS[measures[name][1]]
    return f"{measure.mean:.{digits}f} ({measure.low:.{digits}f} to {measure.high:.{digits}f})"


def _curve(aperture: Sequence[float]) -> str:
    """Points of an SVG line over 200 by 40 units; z-scores from -2.5 to 2.5."""
    step = 200 / max(1, len(aperture) - 1)
    return " ".join(
        f"{index * step:.1f},{20 - 8 * min(2.5, max(-2.5, value)):.1f}" for index, value in enumerate(aperture)
    )


def _bars(report: EvaluationReport, name: str) -> list[tuple[str, float, float, float, str]]:
    """For each row with the measure: its name, and mean, low and high as shares of the largest value."""
    rows = [(row.name, row.measures[name]) for row in report.rows if name in row.measures]
    largest = max((abs(measure.high) for _, measure in rows), default=0.0) or 1.0
    return [
        (
            row,
            max(0.0, own.mean) / largest,
            max(0.0, own.low) / largest,
            max(0.0, own.high) / largest,
            f"{own.mean:.3g}",
        )
        for row, own in rows
    ]
