"""The key of a dub: the same for the same content, another for any other."""

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prefect import Task

import flows.deliver
import flows.dub
import flows.speaking
from schemas.artifact import ModelRef
from schemas.dub import DubRequest
from schemas.errors import RequestError
from schemas.settings import Settings
from tasks.content import STAGES, dub_key

WEIGHTS = (ModelRef(name="kokoro", revision="1", sha256="0" * 64, licence="Apache-2.0", commercial_use=True),)
OTHERS = {
    "target_language": "pt-BR", "source_language": "de", "lips": "reanimate", "speakers": 3, "engine": "jamflow",
    "takes": 5, "voice": "packaged", "loudness": "ebu-23", "audio_track": 1, "review": True, "commercial": True,
    "seed": 99,
}  # fmt: skip
"""Another value for every field that decides a dub."""

in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def key(folder: Path, name: str, script: bytes, video: bytes = b"film", **fields: object) -> str:
    """The key of a request whose files bear a name."""
    path = folder / f"{name}.srt"
    path.write_bytes(script)
    request = DubRequest.model_validate(
        {"video": f"{name}.mp4", "target_language": "es", "script": str(path), **fields}
    )
    return dub_key(request, sha256(video).hexdigest(), WEIGHTS, Settings())


@in_one_folder
@given(names=st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=2), script=st.binary(max_size=50))
def test_names_and_folders_do_not_count(tmp_path: Path, names: list[str], script: bytes) -> None:
    one, other = (key(tmp_path, name, script, output_dir=name, overwrite=name < "d") for name in names)
    assert one == other


@in_one_folder
@given(st.binary(min_size=1, max_size=50), st.data())
def test_every_byte_of_script_and_video_counts(tmp_path: Path, content: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(content) - 1))
    edited = content[:place] + bytes([content[place] ^ data.draw(st.integers(1, 255))]) + content[place + 1 :]
    assert key(tmp_path, "a", content) != key(tmp_path, "b", edited)
    assert key(tmp_path, "a", b"", video=content) != key(tmp_path, "a", b"", video=edited)


@in_one_folder
@given(st.dictionaries(st.sampled_from(sorted(OTHERS)), st.none(), min_size=1))
def test_every_field_counts(tmp_path: Path, chosen: dict[str, None]) -> None:
    assert key(tmp_path, "a", b"") != key(tmp_path, "a", b"", **{name: OTHERS[name] for name in chosen})


def test_all_fields_that_decide_have_been_tried() -> None:
    assert OTHERS.keys() == DubRequest.model_fields.keys() - {"video", "script", "consent", "output_dir", "overwrite"}


def test_weights_scripts_and_consent_count(tmp_path: Path) -> None:
    record = tmp_path / "consent.json"
    record.write_text("{}")
    request = DubRequest(video="a.mp4", target_language="es")
    other = WEIGHTS[0].model_copy(update={"sha256": "1" * 64})
    keys = {
        dub_key(request, "2" * 64, WEIGHTS, Settings()),
        dub_key(request, "2" * 64, (other,), Settings()),
        dub_key(request.model_copy(update={"script": str(record)}), "2" * 64, WEIGHTS, Settings()),
        dub_key(request.model_copy(update={"consent": str(record)}), "2" * 64, WEIGHTS, Settings()),
    }
    assert len(keys) == 4


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    request = DubRequest(video="a.mp4", target_language="es", script=str(tmp_path / "nowhere.srt"))
    with pytest.raises(RequestError, match=r"nowhere\.srt"):
        dub_key(request, "2" * 64, WEIGHTS, Settings())


def test_every_stage_of_a_dub_is_in_its_key() -> None:
    """A stage whose version is raised must change the key: so all that the flow's modules call are listed."""
    used = {
        value.fn
        for module in (flows.dub, flows.speaking, flows.deliver)
        for value in vars(module).values()
        if isinstance(value, Task)
    }
    assert {stage.fn for stage in STAGES} == used
