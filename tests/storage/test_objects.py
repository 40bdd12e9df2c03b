"""The contract of every object store: a folder and an S3 bucket keep the same promises."""

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.artifact import ArtifactRef
from schemas.errors import ArtifactCorrupt, ArtifactMissing, StorageError
from schemas.settings import Settings
from storage.objects import ObjectStore, open_store

ABSENT = ArtifactRef(sha256="0" * 64, media_type="audio/wav", size_bytes=1)


@pytest.fixture
def store(backend) -> ObjectStore:  # type: ignore[no-untyped-def]
    return backend.store


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=5000))
def test_bytes_come_back_under_their_own_hash(store: ObjectStore, data: bytes) -> None:
    ref = store.put_bytes(data, "application/octet-stream")
    assert store.get_bytes(ref) == data == store.local_path(ref).read_bytes()
    assert ref.size_bytes == len(data)
    assert store.has(ref)


def test_what_one_process_puts_another_reads(backend) -> None:  # type: ignore[no-untyped-def]
    data = os.urandom(3 << 20)
    ref = backend.store.put_bytes(data, "audio/wav")
    assert backend.store.get_bytes(ref) == data


def test_a_file_and_its_bytes_are_one_object(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "-a 'file'\nwith a name"
    path.write_bytes(os.urandom(3 << 20))
    from_file = store.put_file(path, "video/mp4")
    inode = store.local_path(from_file).stat().st_ino
    assert store.put_bytes(path.read_bytes(), "video/mp4") == from_file == store.put_file(path, "video/mp4")
    assert store.local_path(from_file).read_bytes() == path.read_bytes()
    assert store.local_path(from_file).stat().st_ino == inode, "it was written once"


def test_objects_are_read_only(store: ObjectStore) -> None:
    path = store.local_path(store.put_bytes(b"kept", "text/plain"))
    assert path.stat().st_mode & 0o777 == 0o444


def test_an_unknown_object_is_missing_with_a_remedy(store: ObjectStore) -> None:
    assert not store.has(ABSENT)
    for read in (store.get_bytes, store.local_path):
        with pytest.raises(ArtifactMissing, match=r"run again.*JAMDUB_STORE_URL"):
            read(ABSENT)


def test_altered_bytes_are_found(backend) -> None:  # type: ignore[no-untyped-def]
    ref = backend.store.put_bytes(b"the truth", "text/plain")
    backend.write_behind(ref, b"the t-uth")
    with pytest.raises(ArtifactCorrupt, match=f"{ref.sha256}.*delete"):
        backend.store.get_bytes(ref)


def test_a_shortened_object_is_found_and_healed_by_the_next_put(backend) -> None:  # type: ignore[no-untyped-def]
    ref = backend.store.put_bytes(b"the truth", "text/plain")
    backend.write_behind(ref, b"the")
    assert not backend.store.has(ref)
    with pytest.raises(ArtifactCorrupt, match=f"{ref.sha256}.*delete"):
        backend.store.local_path(ref)
    backend.store.put_bytes(b"the truth", "text/plain")
    assert backend.store.get_bytes(ref) == b"the truth"


def test_many_writers_of_the_same_bytes(store: ObjectStore) -> None:
    data = os.urandom(1 << 20)
    threads = [threading.Thread(target=store.put_bytes, args=(data, "audio/wav")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ref = store.put_bytes(data, "audio/wav")
    assert store.get_bytes(ref) == data


def test_a_source_file_that_is_gone_says_so(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot read .*gone\.wav"):
        store.put_file(tmp_path / "gone.wav", "audio/wav")


def test_objects_are_listed_and_removed_unless_put_since(store: ObjectStore) -> None:
    began = datetime.now(UTC) - timedelta(seconds=5)  # the server's clock shows whole seconds
    refs = [store.put_bytes(bytes([number]), "audio/wav") for number in range(3)]
    assert {(item.sha256, item.size_bytes) for item in store.list()} == {(ref.sha256, 1) for ref in refs}
    assert all(item.put_at >= began for item in store.list())
    assert not store.remove(refs[0].sha256, began), "it was put since then"
    assert store.remove(refs[0].sha256, datetime.now(UTC) + timedelta(seconds=5))
    assert store.remove(refs[0].sha256, began), "it is gone already"
    assert {item.sha256 for item in store.list()} == {ref.sha256 for ref in refs[1:]}
    assert not store.has(refs[0]) and store.has(refs[1])
    assert store.put_bytes(bytes([0]), "audio/wav") == refs[0] and store.has(refs[0])


@pytest.mark.parametrize(
    "url",
    ["http://bucket/prefix", "relative/folder", "file://elsewhere/tmp", "file:relative", "s3://", "s3://A/b",
     "s3://key:secret@bucket/a", "s3://bucket:9000/a", "s3://bucket/a/../b", "s3://bucket/a//b", "s3://bucket/a\0b"],
)  # fmt: skip
def test_a_url_without_a_store_says_what_is_supported(url: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"write (file:///absolute/folder|s3://bucket/key|another)") as caught:
        open_store(Settings(home=tmp_path, store_url=url))
    assert "secret" not in str(caught.value)
