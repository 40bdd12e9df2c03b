"""Read the rows of a manifest as they stand: CSV with a header, or JSONL with an object on each line."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from schemas.errors import RequestError

Rows = Iterator[tuple[int, dict[str, Any]]]
"""(number of the line in the file, what it says by column); empty cells are absent."""

_LIST = re.compile(r"[,;\s]+")


def parse_csv(text: str) -> Rows:
    """Yield the rows of a CSV file; `script.es` is the script of one language, `languages` is es, fr.

    Raises: RequestError, which names the line.
    """
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restkey="", strict=True)
    try:
        for row in reader:
            if "" in row:
                raise RequestError(f"line {reader.line_num}: it has more cells than the first line")
            yield reader.line_num, _cells({name.strip(): (cell or "").strip() for name, cell in row.items()})
    except csv.Error as error:
        raise RequestError(f"line {reader.line_num}: {error}") from error


def parse_jsonl(text: str) -> Rows:
    """Yield the objects of a JSONL file; empty lines are skipped. Raises: RequestError, which names the line."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise RequestError(f"line {number}: no JSON ({error.msg} at column {error.colno})") from error
        except RecursionError as error:
            raise RequestError(f"line {number}: its brackets are nested too deep") from error
        if not isinstance(row, dict):
            raise RequestError(f'line {number}: an object is expected, such as {{"video": "talk.mp4"}}')
        yield number, row


PARSERS: Mapping[str, Callable[[str], Rows]] = MappingProxyType({".csv": parse_csv, ".jsonl": parse_jsonl})
"""By file ending."""


def _cells(row: dict[str, str]) -> dict[str, Any]:
    cells: dict[str, Any] = {name: cell for name, cell in row.items() if cell and not name.startswith("script.")}
    scripts = {name.removeprefix("script."): cell for name, cell in row.items() if cell and name.startswith("script.")}
    if "languages" in cells:
        cells["languages"] = _LIST.split(cells["languages"])
    if scripts:
        if "script" in cells:
            raise RequestError("give the columns script.LANGUAGE, or one column script, not both")
        cells["script"] = scripts
    return cells
