"""From the source of a batch, a manifest or a folder of a disk or bucket, to its dubs: each video in each language."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path, PurePath
from typing import Any

from pydantic import ValidationError

from media.cue_formats import PARSERS as SCRIPTS
from media.manifest import PARSERS as MANIFESTS
from media.small_file import read_small
from schemas.batch import BatchRequest, Item, ItemName, Languages
from schemas.dub import DubRequest, DubSettings, LanguageTag
from schemas.errors import RequestError
from schemas.settings import Settings
from schemas.value import Value
from storage.places import fetch, join, list_files

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


def list_items(request: BatchRequest, settings: Settings) -> tuple[Item, ...]:
    """List the dubs of a batch, in the order of its source; no video is opened.

    Raises: RequestError, where the source makes no sense: it names the lines; StorageError, where it cannot be read.
    """
    is_manifest = PurePath(request.source).suffix.lower() in MANIFESTS
    items = _of_manifest(request, settings) if is_manifest else _of_folder(request, settings)
    if not items:
        raise RequestError(f"{request.source} names no video: there is nothing to dub")
    if len(items) > MOST_ITEMS:
        raise RequestError(f"{request.source} asks for {len(items)} dubs, and a batch has at most {MOST_ITEMS}")
    _refuse_twins(items)
    return items


def absolute(place: str) -> str:
    """A path from the root on; a URL as it is."""
    return place if "://" in place else str(Path(place).absolute())


def _of_manifest(request: BatchRequest, settings: Settings) -> tuple[Item, ...]:
    items: list[Item] = []
    problems: list[str] = []
    name, folder = PurePath(request.source).name, absolute(request.source).rpartition("/")[0]
    for number, row in _rows(request.source, settings):
        try:
            items += _of_row(row, f"{name} line {number}", folder, request)
        except ValidationError as error:
            first = error.errors()[0]
            problems.append(f"line {number}: {'.'.join(map(str, first['loc']))}: {first['msg']}")
    if problems:
        more = f"; and {len(problems) - ERRORS_SHOWN} more" if len(problems) > ERRORS_SHOWN else ""
        told = "; ".join(problems[:ERRORS_SHOWN])
        raise RequestError(f"{request.source}: {told}{more}; see docs/batch.md for its form")
    return tuple(items)


def _rows(source: str, settings: Settings) -> list[tuple[int, dict[str, Any]]]:
    parse = MANIFESTS[PurePath(source).suffix.lower()]
    try:
        data = read_small(fetch(source, settings), "manifest", max_bytes=LARGEST_MANIFEST_BYTES)
        return list(islice(parse(data.decode("utf-8-sig")), MOST_ITEMS + 1))
    except UnicodeDecodeError as error:
        raise RequestError(f"{source} is not UTF-8: save it so") from error
    except RequestError as error:
        raise RequestError(f"{source}: {error}") from error


def _of_row(row: dict[str, Any], origin: str, folder: str, request: BatchRequest) -> Iterator[Item]:
    settings = {name: value for name, value in row.items() if name in DubSettings.model_fields}
    told = Row.model_validate({name: value for name, value in row.items() if name not in settings})
    video = str(_found(told.video, folder))
    for language in told.languages or request.languages:
        files = {"video": video, "script": _found(told.script_in(language), folder)}
        dub = _dub(request, language, files, settings | {"consent": _found(told.consent, folder)})
        yield Item(name=told.name or _name([PurePath(video).stem]), origin=origin, request=dub)


def _dub(batch: BatchRequest, language: str, files: dict[str, str | None], own: dict[str, Any]) -> DubRequest:
    """The request of one dub. What lies in its folder is an earlier dub of the same video, which it replaces."""
    fields = {**batch.settings, **own, **files, "target_language": language, "overwrite": True}
    return DubRequest.model_validate(fields)


def _found(named: str | None, folder: str) -> str | None:
    """A file that a manifest names: relative paths begin where the manifest lies; URLs stay."""
    return named if named is None or "://" in named or named.startswith("/") else join(folder, named)


def _of_folder(request: BatchRequest, settings: Settings) -> tuple[Item, ...]:
    root = absolute(request.source).rstrip("/") + "/"
    files = set(list_files(root, settings))
    plain = {video: _name(PurePath(video.removeprefix(root)).with_suffix("").parts) for video in _videos(files, root)}
    times = Counter(plain.values())
    return tuple(
        Item(
            name=name if times[name] == 1 else name + PurePath(video).suffix,
            origin=video,
            request=_dub(request, language, {"video": video, "script": _script_beside(video, language, files)}, {}),
        )
        for video, name in plain.items()
        for language in request.languages
    )


def _videos(files: Collection[str], root: str) -> Iterator[str]:
    """Videos of a folder and those below: nothing hidden, and no dub, which has a receipt beside it."""
    for place in sorted(files):
        stem, dot, suffix = place.rpartition(".")
        is_hidden = any(part.startswith(".") for part in place.removeprefix(root).split("/"))
        if f"{dot}{suffix.lower()}" in VIDEO_SUFFIXES and not is_hidden and f"{stem}.receipt.json" not in files:
            yield place


def _script_beside(video: str, language: str, files: Collection[str]) -> str | None:
    """The translation that lies beside a video: talk.es.srt beside talk.mp4."""
    stem = video.rpartition(".")[0]
    return next((place for suffix in SCRIPTS if (place := f"{stem}.{language}{suffix}") in files), None)


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
