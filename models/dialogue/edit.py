"""Lines edited by hand: a text that a person pastes into a form."""

import re
from collections import Counter

from schemas.errors import RequestError
from schemas.speech import Line, Script

_EDIT = re.compile(r"\s*(?P<id>[A-Za-z0-9_-]{1,64})\s*:(?P<text>.*)")


def as_edits(script: Script) -> str:
    """Return a script's texts in the form that `edit_lines` reads: one line each, `ID: text`."""
    return "\n".join(f"{line.id}: {' '.join((line.target_text or '').split())}".rstrip() for line in script.lines)


def edit_lines(script: Script, edits: str) -> Script:
    """Give the lines that the edits name their new texts; the others stay. No text: the original voice is kept.

    Raises: RequestError, which names the line that is unknown, given twice, or not of that form.
    """
    texts = dict(_parsed(edits, {line.id for line in script.lines}))
    lines = tuple(_edited(line, texts[line.id]) if line.id in texts else line for line in script.lines)
    return script.model_copy(update={"lines": lines})


def _parsed(edits: str, known: set[str]) -> list[tuple[str, str]]:
    parsed = []
    for row in (row for row in edits.splitlines() if row.strip()):
        found = _EDIT.fullmatch(row)
        if found is None:
            raise RequestError(f"edited line {row[:60]!r} has no 'ID: text': write one line of the script in each row")
        if found["id"] not in known:
            raise RequestError(f"edited line {found['id']!r} is not in the script: its lines are {_listed(known)}")
        parsed.append((found["id"], " ".join(found["text"].split())))
    twice = [name for name, count in Counter(name for name, _ in parsed).items() if count > 1]
    if twice:
        raise RequestError(f"line {twice[0]!r} is edited twice: leave one of both")
    return parsed


def _edited(line: Line, text: str) -> Line:
    same = text == " ".join((line.target_text or "").split())
    return line if same else line.model_copy(update={"target_text": text or None})


def _listed(known: set[str]) -> str:
    first, last = min(known, default="none"), max(known, default="none")
    return first if first == last else f"{first} to {last}"
