"""What a reviewer is shown, in Markdown: the words and their voices, then the takes and their measures."""

from collections.abc import Iterable, Sequence

from media.report.markdown import plain, table
from schemas.dub import LineReport, Voice
from schemas.media import TimeSpan
from schemas.speech import Line, Script
from schemas.stages import Products


def script_page(script: Script, voices: Sequence[Voice]) -> str:
    """The script before it is spoken: problems first, then who speaks as whom, then every line."""
    cast = [(voice.speaker, _voice(voice), f"{voice.similarity:.2f}") for voice in voices]
    lines = [(line.id, line.speaker, _time(line.span), line.source_text, _target(line)) for line in script.lines]
    return "\n\n".join(
        [
            f"## Script to be spoken ({script.language})",
            _problems(script.warnings),
            table(("speaker", "voice", "similarity"), cast),
            table(("line", "speaker", "time", "original", "to be spoken"), lines),
        ]
    )


def takes_page(made: Products) -> str:
    """The dub before it is delivered: problems first, then every line as it was heard back and measured."""
    lines = [
        (line.id, line.target_text or "(original voice)", line.heard_text or "", _number(line.wer), _onset(line))
        for line in made.checks.lines
    ]
    measures = made.checks.measures
    whole = f"Words heard back: WER {_number(measures.wer) or 'not checked'}. Warnings: {len(made.warnings)}."
    return "\n\n".join(
        [
            "## Dub to be delivered",
            whole,
            _problems(made.warnings),
            table(("line", "spoken", "heard", "WER", "onset"), lines),
        ]
    )


def _problems(warnings: Iterable[str]) -> str:
    return "\n".join(f"- {plain(warning)}" for warning in warnings) or "No problems were found."


def _voice(voice: Voice) -> str:
    if voice.reference is not None:
        return "its own" if voice.reference.origin == "own" else voice.reference.name
    return " + ".join(f"{name} {weight:.0%}" for name, weight in voice.blend)


def _target(line: Line) -> str:
    return line.target_text or "(original voice kept)"


def _time(span: TimeSpan) -> str:
    return f"{span.start_s:.2f} to {span.end_s:.2f} s"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _onset(line: LineReport) -> str:
    return "" if line.onset_error_s is None else f"{line.onset_error_s * 1000:+.0f} ms"
