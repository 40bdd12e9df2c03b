"""From a manifest or a folder to the dubs of a batch; what is wrong is named by its line."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.batch import BatchRequest, Item
from schemas.errors import RequestError
from schemas.settings import Settings
from tasks.manifest import list_items


def items_of(source: Path, **fields: object) -> tuple[Item, ...]:
    return list_items(BatchRequest.model_validate({"source": str(source), "to": ["es", "fr"], **fields}), Settings())


def csv(folder: Path, *lines: str) -> Path:
    path = folder / "talks.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_each_row_is_dubbed_into_each_language(tmp_path: Path) -> None:
    path = csv(tmp_path, "video,script,speakers", "a.mp4,texts/a.{language}.srt,2", "/films/b.mov,,")
    items = items_of(path, lips="reanimate", seed=7)
    assert [item.title for item in items] == ["a/es", "a/fr", "b/es", "b/fr"]
    first, last = items[0].request, items[-1].request
    assert (first.video, first.script) == (str(tmp_path / "a.mp4"), str(tmp_path / "texts" / "a.es.srt"))
    assert (first.speakers, first.lips, first.seed) == (2, "reanimate", 7)
    assert (last.video, last.script, last.speakers, last.target_language) == ("/films/b.mov", None, None, "fr")


def test_a_row_has_scripts_languages_and_settings_of_its_own(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "name;video;script.es;script.de;languages;lips;consent",
        "opening talk;s3://in/a.mp4;s3://in/es.srt;;es, de;reanimate;c.json",
    )
    one, other = items_of(path)
    assert (one.title, other.title) == ("opening talk/es", "opening talk/de")
    assert (one.request.video, one.request.script, other.request.script) == ("s3://in/a.mp4", "s3://in/es.srt", None)
    assert (one.request.lips, one.request.consent) == ("reanimate", str(tmp_path / "c.json"))


def test_jsonl_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "talks.jsonl"
    rows = [{"video": "a.mp4", "script": {"es": "a.srt"}, "speakers": 2}, {"video": "b.mp4", "languages": ["it"]}]
    path.write_text("\n\n".join(json.dumps(row) for row in rows))
    items = items_of(path)
    assert [item.title for item in items] == ["a/es", "a/fr", "b/it"]
    assert [item.request.script for item in items] == [str(tmp_path / "a.srt"), None, None]
    assert [item.origin for item in items] == ["talks.jsonl line 1"] * 2 + ["talks.jsonl line 3"]


BAD_ROWS = {
    "a misspelt column": (["video,lip", "a.mp4,keep"], r"line 2: lip"),
    "a wrong value": (["video,speakers", "a.mp4,2", "b.mp4,many"], r"line 3: speakers"),
    "no video": (["video,lips", "a.mp4,keep", ",keep"], r"line 3: video"),
    "no language": (["video,languages", "a.mp4,es", "b.mp4,?"], r"line 3: languages"),
    "too many cells": (["video", "a.mp4,b.mp4"], r"line 2: .*more cells"),
    "a name that is a path": (["video,name", "a.mp4,../a"], r"line 2: name"),
    "twice the same name": (["video", "x/a.mp4", "y/a.mp4"], r"line 3 and .*line 2 are both a/es"),
    "two ways to name scripts": (["video,script,script.es", "a.mp4,b.srt,c.srt"], "not both"),
    "several at once": (["video,seed", "a.mp4,x", "b.mp4,y"], r"line 2: seed.*line 3: seed"),
    "nothing": (["video"], "nothing to dub"),
}


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_bad_rows_are_named_by_their_line(tmp_path: Path, kind: str) -> None:
    lines, says = BAD_ROWS[kind]
    with pytest.raises(RequestError, match=says) as caught:
        items_of(csv(tmp_path, *lines))
    assert "talks.csv" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b'{"video": ', b"[]", b"\xff\xfe", b"[" * 100_000], ids=["cut off", "a list", "no text", "nested"]
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "talks.jsonl"
    path.write_bytes(content)
    with pytest.raises(RequestError, match=r"talks\.jsonl"):
        items_of(path)


@pytest.mark.parametrize("name", ["nowhere.csv", "talk.mp4", "nowhere"])
def test_a_source_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError, match=name):
        items_of(tmp_path / name)


def test_a_folder_is_read_with_the_scripts_beside_its_videos(tmp_path: Path) -> None:
    touch(tmp_path, "b.mp4", "b.es.srt", "b.fr.vtt", "b.mov", "sub/a.MKV", "notes.txt", ".hidden/c.mp4")
    items = items_of(tmp_path)
    assert [item.title for item in items] == [
        "b.mov/es", "b.mov/fr", "b.mp4/es", "b.mp4/fr", "sub-a/es", "sub-a/fr",
    ]  # fmt: skip
    assert items[2].request.script == str(tmp_path / "b.es.srt")
    assert items[3].request.script == str(tmp_path / "b.fr.vtt")
    assert items[4].request.script is None


def test_dubs_in_a_folder_are_not_dubbed_again(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "a-1234/es/a.es.mp4", "a-1234/es/a.es.receipt.json")
    assert [item.title for item in items_of(tmp_path, output_dir=str(tmp_path))] == ["a/es", "a/fr"]


@pytest.mark.parametrize("asked", [{"at_once": 2}, {"review": True}])
def test_what_needs_workers_needs_a_deployment(asked: dict[str, object]) -> None:
    batch = {"source": "talks", "languages": ("es",), **asked}
    with pytest.raises(ValidationError, match="name a deployment"):
        BatchRequest.model_validate(batch)
    BatchRequest.model_validate({**batch, "deployment": "dub-video/production"})
