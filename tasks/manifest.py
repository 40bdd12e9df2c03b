"""From the source of a batch, a manifest or a folder, to its dubs: each video in each language."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from media.cue_formats import PARSERS as SCRIPTS
from media.manifest import PARSERS as MANIFESTS
from schemas.batch import BatchRequest, Item, ItemName, Languages
from schemas.dub import DubRequest, DubSettings, LanguageTag
from schemas.errors import RequestError
from schemas.value import Value

LARGEST_MANIFEST_BYTES = 20_000_000
MOST_ITEMS = 20_000
VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mxf", ".ts", ".mts", ".mpg", ".mpeg"})
ERRORS_SHOWN = 5
_UNSAFE = re.compile(r"[\x00-\x1f/\\]")


class Row(Value):
    """A row of a manifest, without the settings that it overrides; `script` may hold `{language}`."""

    video: str
    name: ItemName | None = None
    script: str | dict[LanguageTag, str] | None = None
    consent: str | None = None
    languages: Languages | None = None

    def script_in(self, language: str) -> str | None:
        """The script of one language, if there is one."""
        if isinstance(self.script, dict):
            return self.script.get(language)
        return None if self.script is None else self.script.replace("{language}", language)


def list_items(request: BatchRequest) -> tuple[Item, ...]:
    """List the dubs of a batch, in the order of its source; no video is opened.

    Raises: RequestError, where the source cannot be read, or says what makes no sense: it names the lines.
    """
    source = Path(request.source)
    if source.is_dir():
        items = _of_folder(source, request)
    elif source.suffix.lower() in MANIFESTS:
        items = _of_manifest(source, request)
    else:
        raise RequestError(f"{source}: no manifest ({', '.join(MANIFESTS)}) and no folder; check the source")
    if not items:
        raise RequestError(f"{source} names no video: there is nothing to dub")
    if len(items) > MOST_ITEMS:
        raise RequestError(f"{source} asks for {len(items)} dubs, and a batch has at most {MOST_ITEMS}: split it")
    _refuse_twins(items)
    return items


def _of_manifest(path: Path, request: BatchRequest) -> tuple[Item, ...]:
    items: list[Item] = []
    problems: list[str] = []
    for number, row in _rows(path):
        try:
            items += _of_row(row, f"{path.name} line {number}", path.parent, request)
        except ValidationError as error:
            first = error.errors()[0]
            problems.append(f"line {number}: {'.'.join(map(str, first['loc']))}: {first['msg']}")
    if problems:
        more = f"; and {len(problems) - ERRORS_SHOWN} more" if len(problems) > ERRORS_SHOWN else ""
        raise RequestError(f"{path}: {'; '.join(problems[:ERRORS_SHOWN])}{more}; see docs/batch.md for its form")
    return tuple(items)


def _rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    try:
        if path.stat().st_size > LARGEST_MANIFEST_BYTES:
            raise RequestError(f"{path} is larger than {LARGEST_MANIFEST_BYTES // 10**6} MB: split the batch")
        return list(islice(MANIFESTS[path.suffix.lower()](path.read_text(encoding="utf-8-sig")), MOST_ITEMS + 1))
    except OSError as error:
        raise RequestError(f"{path}: cannot be read ({error.strerror}); check the source") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{path} is not UTF-8: save it so") from error
    except RequestError as error:
        raise RequestError(f"{path}: {error}") from error


def _of_row(row: dict[str, Any], origin: str, folder: Path, request: BatchRequest) -> Iterator[Item]:
    settings = {name: value for name, value in row.items() if name in DubSettings.model_fields}
    told = Row.model_validate({name: value for name, value in row.items() if name not in settings})
    video = str(_found(told.video, folder))
    for language in told.languages or request.languages:
        files = {"video": video, "script": _found(told.script_in(language), folder)}
        dub = _dub(request, language, files, settings | {"consent": _found(told.consent, folder)})
        yield Item(name=told.name or _name([Path(video).stem]), origin=origin, request=dub)


def _dub(batch: BatchRequest, language: str, files: dict[str, str | None], own: dict[str, Any]) -> DubRequest:
    """The request of one dub. What lies in its folder is an earlier dub of the same video, which it replaces."""
    fields = {**batch.settings, **own, **files, "target_language": language, "overwrite": True}
    return DubRequest.model_validate(fields)


def _found(named: str | None, folder: Path) -> str | None:
    """A file that a manifest names: relative paths begin at the manifest; URLs stay."""
    return named if named is None or "://" in named else str((folder / named).absolute())


def _of_folder(folder: Path, request: BatchRequest) -> tuple[Item, ...]:
    root = folder.absolute()
    plain = {video: _name(video.relative_to(root).with_suffix("").parts) for video in sorted(_videos(root))}
    times = Counter(plain.values())
    return tuple(
        Item(
            name=name if times[name] == 1 else name + video.suffix,
            origin=str(video),
            request=_dub(request, language, {"video": str(video), "script": _script_beside(video, language)}, {}),
        )
        for video, name in plain.items()
        for language in request.languages
    )


def _videos(folder: Path) -> Iterator[Path]:
    """Videos of a folder and those below: nothing hidden, and no dub, which has a receipt beside it."""
    for path in folder.rglob("*"):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        is_dub = path.with_suffix(".receipt.json").exists()
        if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file() and not is_hidden and not is_dub:
            yield path


def _script_beside(video: Path, language: str) -> str | None:
    """The translation that lies beside a video: talk.es.srt beside talk.mp4."""
    beside = (video.with_name(f"{video.stem}.{language}{suffix}") for suffix in SCRIPTS)
    return next((str(path) for path in beside if path.is_file()), None)


def _name(parts: Sequence[str]) -> str:
    return (_UNSAFE.sub("_", "-".join(parts)).lstrip(".") or "video")[:100]


def _refuse_twins(items: Iterable[Item]) -> None:
    known: dict[str, Item] = {}
    for item in items:
        twin = known.setdefault(item.title, item)
        if twin is not item:
            raise RequestError(
                f"{item.origin} and {twin.origin} are both {item.title}: give each its own name (column name)"
            )
