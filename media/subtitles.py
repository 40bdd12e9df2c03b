"""Read a user's script; write the subtitles of a dub."""

import codecs
import logging
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from media.cue_formats import PARSERS, BadScript, RawCue
from media.small_file import read_small
from schemas.errors import RequestError
from schemas.media import TimeSpan
from schemas.speech import Cue

OVERLAP_TOLERANCE_S = 0.02
LINE_CHARS = 42
LINES_PER_CUE = 2
GAP_FRAMES = 2
TRIMMED_OVERLAP_S = 0.5  # a take that runs on under the next line; speakers who really overlap do so longer
SHORTEST_CUE_S = 0.2  # a gap is not cut out of less

# Scripts written without spaces: lines break, and are joined, between any two of their characters.
_UNSPACED = r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f\u0e00-\u0e7f]"
_BREAK_IN_UNSPACED = re.compile(rf"(?<={_UNSPACED})[ \t]*\n[ \t]*(?={_UNSPACED})")
# At a space or between two unspaced characters; not at a space between those, which joining would lose.
_MAY_BREAK = re.compile(rf"(?<={_UNSPACED})(?={_UNSPACED})|(?<!{_UNSPACED})(?=\s)|(?=\s)(?!\s{_UNSPACED})")
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_script(path: Path, *, max_bytes: int = 5_000_000) -> tuple[Cue, ...]:
    """Read the cues of an SRT, WebVTT, JSON or CSV file, in time order.

    Markup is stripped and lines are joined. Cues out of order are sorted, with a logged warning. Cues of one
    speaker (or without speakers) may overlap by 20 ms, which is trimmed.

    Raises: RequestError, where the file cannot be read or its cues make no sense; it names the cue.
    """
    parse = PARSERS.get(path.suffix.lower())
    if parse is None:
        raise RequestError(f"script {_named(path)} has no known format: supported are {', '.join(PARSERS)}")
    content = _decoded(path, read_small(path, "script", max_bytes=max_bytes))
    try:
        raw_cues = [_tidied(raw) for raw in parse(content)]
        return _sound_cues(raw_cues, path)
    except BadScript as error:
        raise RequestError(f"script {_named(path)}: {error}") from error


def write_srt(lines: Sequence[tuple[TimeSpan, str]], *, frame_rate_hz: float = 25.0) -> str:
    """Write SubRip text: at most two lines of 42 characters at once, two frames between cues."""
    blocks = [
        f"{number}\n{_clock(span.start_s, ',')} --> {_clock(span.end_s, ',')}\n{text.replace('-->', '→')}\n"
        for number, (span, text) in enumerate(_laid_out(lines, frame_rate_hz), 1)
    ]
    return "\n".join(blocks)


def write_webvtt(lines: Sequence[tuple[TimeSpan, str]], *, frame_rate_hz: float = 25.0) -> str:
    """Write WebVTT: at most two lines of 42 characters at once, two frames between cues."""
    blocks = [
        f"{_clock(span.start_s, '.')} --> {_clock(span.end_s, '.')}\n{_escaped(text)}\n"
        for span, text in _laid_out(lines, frame_rate_hz)
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def _named(path: Path) -> str:
    return repr(str(path))


def _decoded(path: Path, data: bytes) -> str:
    encoding = next((name for mark, name in _ENCODINGS if data.startswith(mark)), "utf-8")
    try:
        content = data.decode(encoding)
    except UnicodeDecodeError as error:
        remedy = f"iconv -f WINDOWS-1252 -t UTF-8 {shlex.quote(path.name)} > utf8{path.suffix}"
        raise RequestError(
            f"script {_named(path)} is not {encoding.upper()}: byte 0x{data[error.start]:02x} at offset {error.start} "
            f"({error.reason}): convert it, for example by `{remedy}`".replace("\n", " ")
        ) from error
    if "\0" in content:
        raise RequestError(f"script {_named(path)} is no text: it holds a zero byte at {content.index(chr(0))}")
    return content


def _tidied(raw: RawCue) -> RawCue:
    text = " ".join(_BREAK_IN_UNSPACED.sub("", raw.text.strip()).split())
    speaker = " ".join(raw.speaker.split()) if raw.speaker else None
    return RawCue(raw.number, raw.start_s, raw.end_s, text, speaker or None)


def _sound_cues(raw_cues: list[RawCue], path: Path) -> tuple[Cue, ...]:
    if not raw_cues:
        raise BadScript("it holds no cues: write at least one, with its times and its text")
    for raw in raw_cues:
        _check_alone(raw)
    ordered = sorted(raw_cues, key=lambda raw: raw.start_s)
    if ordered != raw_cues:
        logging.getLogger(__name__).warning("script %s: its cues are not in time order; sorted", _named(path))
    return tuple(
        Cue(span=TimeSpan(start_s=raw.start_s, end_s=end_s), text=raw.text, speaker=raw.speaker)
        for raw, end_s in zip(ordered, _trimmed_ends(ordered), strict=True)
    )


def _check_alone(raw: RawCue) -> None:
    if raw.start_s < 0:
        raise BadScript(f"cue {raw.number} starts before 0 ({raw.start_s:g} s): correct its times")
    if not raw.end_s > raw.start_s:
        raise BadScript(
            f"cue {raw.number} does not end after it starts ({raw.start_s:g} s to {raw.end_s:g} s): correct its times"
        )
    if not any(character.isalnum() for character in raw.text):
        raise BadScript(f"cue {raw.number} at {raw.start_s:g} s has no text to speak: write it or delete the cue")


def _trimmed_ends(ordered: list[RawCue]) -> list[float]:
    """Return the end of each cue before the next one of the same speaker. Raises: BadScript, where they overlap."""
    ends = [raw.end_s for raw in ordered]
    last_of_speaker: dict[str | None, int] = {}
    for index, raw in enumerate(ordered):
        earlier = last_of_speaker.get(raw.speaker)
        if earlier is not None and raw.start_s < ends[earlier]:
            before = ordered[earlier]
            if ends[earlier] - raw.start_s > OVERLAP_TOLERANCE_S + 1e-9 or raw.start_s <= before.start_s:
                raise BadScript(
                    f"cue {raw.number} starts at {raw.start_s:g} s, before cue {before.number} ends "
                    f"({before.end_s:g} s): correct their times, or name two speakers"
                )
            ends[earlier] = raw.start_s
        last_of_speaker[raw.speaker] = index
    return ends


def _laid_out(lines: Iterable[tuple[TimeSpan, str]], frame_rate_hz: float) -> Iterator[tuple[TimeSpan, str]]:
    """Yield what is shown when: texts in lines, long ones split in time, gaps between, small overlaps trimmed."""
    shown = [part for span, text in sorted(lines, key=lambda line: line[0].start_s) for part in _split(span, text)]
    gap_s = GAP_FRAMES / frame_rate_hz
    for (span, text), following in pairwise([*shown, None]):  # type: ignore[misc]
        end_s = span.end_s
        if following is not None and -TRIMMED_OVERLAP_S <= following[0].start_s - end_s < gap_s:
            end_s = max(following[0].start_s - gap_s, min(end_s, span.start_s + SHORTEST_CUE_S))
        yield TimeSpan(start_s=span.start_s, end_s=max(end_s, span.start_s + 0.002)), text


def _split(span: TimeSpan, text: str) -> Iterator[tuple[TimeSpan, str]]:
    """Yield a text two lines at a time, each pair as long as its share of the characters."""
    wrapped = _wrapped(" ".join(text.split()))
    pages = ["\n".join(wrapped[first : first + LINES_PER_CUE]) for first in range(0, len(wrapped), LINES_PER_CUE)]
    total, done = sum(map(len, pages)), 0
    for page in pages:
        start_s = span.start_s + span.duration_s * done / total
        done += len(page)
        yield TimeSpan(start_s=start_s, end_s=span.start_s + span.duration_s * done / total), page


def _wrapped(text: str) -> list[str]:
    """Break a text into as few lines as 42 characters allow, as equally long as that many can be."""
    tokens = [token for token in _MAY_BREAK.split(text) if token]
    fewest = len(_filled(tokens, LINE_CHARS))
    return next(lines for width in range(1, LINE_CHARS + 1) if len(lines := _filled(tokens, width)) <= fewest)


def _filled(tokens: list[str], width: int) -> list[str]:
    """Fill lines with tokens; one longer than the width stands alone."""
    lines: list[str] = []
    for token in tokens:
        if lines and len(lines[-1]) + len(token) <= width:
            lines[-1] += token
        else:
            lines.append(token.lstrip())
    return lines


def _clock(time_s: float, point: str) -> str:
    milliseconds = round(time_s * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{milliseconds // 1000:02d}{point}{milliseconds % 1000:03d}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
