"""Read the cues of SRT, WebVTT, JSON and CSV as they stand; whether they make sense is judged by media.subtitles."""

import csv
import html
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

_CLOCK = re.compile(r"^\s*(-?)(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9}))?\s*$")
_TIMING = re.compile(r"^\s*(-?\d[\d:.,]*)\s*-->\s*(-?\d[\d:.,]*)(?:\s.*)?$")
_LOOKS_LIKE_TIMING = re.compile(r"^\s*(?:-?\d\S*\s*)?-->")
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|\{\\[^{}]*\}")
_VTT_TAG = re.compile(r"<[^<>]*>")
_VTT_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^<>]+)>")
_VTT_ASIDE = re.compile(r"^(NOTE|STYLE|REGION)(\s|$)")
_BRACKETED = re.compile(r"^\s*\[([^\[\]\n]{1,60})\]\s*(.*)$", re.DOTALL)
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class RawCue:
    """A cue as the file has it; `number` counts from 1 in the order of the file."""

    number: int
    start_s: float
    end_s: float
    text: str
    speaker: str | None = None


class BadScript(Exception):
    """What is wrong in the file, without its name."""


def parse_srt(content: str) -> Iterator[RawCue]:
    """Yield the cues of SubRip text; a cue that begins with `[Name]` is that speaker's."""
    for number, (start_s, end_s, body) in enumerate(_timed_blocks(content.splitlines()), 1):
        plain = _MARKUP.sub("", body)
        bracketed = _BRACKETED.match(plain)
        speaker, text = (bracketed[1].strip(), bracketed[2]) if bracketed else (None, plain)
        yield RawCue(number, start_s, end_s, text, speaker)


def parse_webvtt(content: str) -> Iterator[RawCue]:
    """Yield the cues of WebVTT; `<v Name>` says who speaks."""
    if not re.match(r"WEBVTT(\s|$)", content):
        raise BadScript("it does not begin with WEBVTT: add that line, or name the file .srt")
    blocks = re.split(r"\n[ \t]*\n", "\n".join(content.splitlines()))
    lines = [line for block in blocks[1:] if not _VTT_ASIDE.match(block.lstrip()) for line in (*block.split("\n"), "")]
    for number, (start_s, end_s, body) in enumerate(_timed_blocks(lines), 1):
        speakers = {html.unescape(name).strip() for name in _VTT_VOICE.findall(body)}
        if len(speakers) > 1:
            raise BadScript(f"cue {number} has several speakers ({', '.join(sorted(speakers))}): write a cue for each")
        yield RawCue(number, start_s, end_s, html.unescape(_VTT_TAG.sub("", body)), next(iter(speakers), None))


def parse_json(content: str) -> Iterator[RawCue]:
    """Yield the cues of `[{"start_s", "end_s", "text", "speaker"?}, …]`, also under the key `lines`."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadScript(f"it is no JSON ({error})") from error
    entries = document.get("lines") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise BadScript('it must be a list of cues, or {"lines": [...]}')
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise BadScript(f"cue {number} must be an object with start_s, end_s and text")
        yield _cue_of_fields(number, entry)


def parse_csv(content: str) -> Iterator[RawCue]:
    """Yield the cues of a table with the header start, end, text and perhaps speaker; any usual delimiter."""
    header = content.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        for number, row in enumerate(reader, 1):
            if None in row:
                raise BadScript(f"row {number} has more fields than the header: put its text in double quotes")
            yield _cue_of_fields(number, row)
    except csv.Error as error:
        raise BadScript(f"it is no CSV table ({error})") from error


PARSERS: Mapping[str, Callable[[str], Iterator[RawCue]]] = MappingProxyType(
    {".srt": parse_srt, ".vtt": parse_webvtt, ".json": parse_json, ".csv": parse_csv, ".tsv": parse_csv}
)


def seconds_of(written: object) -> float:
    """Read seconds, or [hh:]mm:ss[,mmm]. Raises: ValueError."""
    if isinstance(written, bool) or written is None:
        raise ValueError(f"{written!r} is no time")
    if isinstance(written, str) and (clock := _CLOCK.match(written)):
        sign, hours, minutes, seconds, fraction = clock.groups()
        whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
        time_s = (whole + float(f"0.{fraction or 0}")) * (-1 if sign else 1)
    else:
        plain = written.strip().replace(",", ".") if isinstance(written, str) else written
        try:
            time_s = float(plain)  # type: ignore[arg-type]  # what is no number is refused below
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{written!r} is no time") from error
    if not math.isfinite(time_s):
        raise ValueError(f"{written!r} is no time")
    return time_s


def _timed_blocks(lines: list[str]) -> Iterator[tuple[float, float, str]]:
    """Yield (start_s, end_s, text) of each timing line and what follows it, without the next cue's name."""
    timings = [index for index, line in enumerate(lines) if _LOOKS_LIKE_TIMING.match(line)]
    for number, (index, following) in enumerate(pairwise([*timings, len(lines)]), 1):
        timing = _TIMING.match(lines[index])
        if timing is None:
            raise BadScript(f"cue {number} has no readable times in line {index + 1} ({lines[index].strip()[:60]!r})")
        body = lines[index + 1 : following]
        if following < len(lines) and body and _is_cue_name(body):
            body = body[:-1]
        yield _time(number, timing[1]), _time(number, timing[2]), "\n".join(body)


def _is_cue_name(body: list[str]) -> bool:
    """Say whether the line before a timing line names that cue: a number, or alone after an empty line."""
    name = body[-1].strip()
    return name.isdigit() or bool(name and len(body) > 1 and not body[-2].strip())


def _cue_of_fields(number: int, fields: Mapping[str, object]) -> RawCue:
    start, end, text = (_field(number, fields, *names) for names in (("start_s", "start"), ("end_s", "end"), ("text",)))
    if not isinstance(text, str):
        raise BadScript(f"cue {number} has no text but {text!r}")
    speaker = fields.get("speaker")
    if speaker is not None and not isinstance(speaker, str):
        raise BadScript(f"cue {number} has the speaker {speaker!r}: write a name")
    return RawCue(
        number, _time(number, start), _time(number, end), _MARKUP.sub("", text), (speaker or "").strip() or None
    )


def _field(number: int, fields: Mapping[str, object], *names: str) -> object:
    for name in names:
        if fields.get(name) is not None:
            return fields[name]
    raise BadScript(f"cue {number} has no {names[-1]!r}")


def _time(number: int, written: object) -> float:
    try:
        return seconds_of(written)
    except ValueError as error:
        raise BadScript(
            f"cue {number} has a time that cannot be read ({error}): write seconds or hh:mm:ss,mmm"
        ) from error
