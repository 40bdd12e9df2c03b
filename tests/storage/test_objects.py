"""The contract of every object store, and what the local one promises when things go wrong."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.artifact import ArtifactRef
from schemas.errors import ArtifactCorrupt, ArtifactMissing, StorageError
from storage.local import SWEEP_AGE_S, LocalObjectStore
from storage.objects import ObjectStore, open_store

ABSENT = ArtifactRef(sha256="0" * 64, media_type="audio/wav", size_bytes=1)


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return open_store((tmp_path / "a store's 100%").as_uri(), tmp_path / "cache")


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@given(data=st.binary(max_size=5000))
def test_bytes_come_back_under_their_own_hash(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    store = open_store(tmp_path_factory.mktemp("store").as_uri(), tmp_path_factory.mktemp("cache"))
    ref = store.put_bytes(data, "application/octet-stream")
    assert store.get_bytes(ref) == data == store.local_path(ref).read_bytes()
    assert ref.size_bytes == len(data)
    assert store.has(ref)


def test_a_file_and_its_bytes_are_one_object(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "-a 'file'\nwith a name"
    path.write_bytes(os.urandom(3 << 20))
    from_file = store.put_file(path, "video/mp4")
    written_at_ns = store.local_path(from_file).stat().st_mtime_ns
    assert store.put_bytes(path.read_bytes(), "video/mp4") == from_file == store.put_file(path, "video/mp4")
    assert store.local_path(from_file).stat().st_mtime_ns == written_at_ns


def test_objects_are_read_only(store: ObjectStore) -> None:
    path = store.local_path(store.put_bytes(b"kept", "text/plain"))
    assert path.stat().st_mode & 0o777 == 0o444


def test_an_unknown_object_is_missing_with_a_remedy(store: ObjectStore) -> None:
    assert not store.has(ABSENT)
    for read in (store.get_bytes, store.local_path):
        with pytest.raises(ArtifactMissing, match="run again"):
            read(ABSENT)


def test_altered_bytes_are_found(store: ObjectStore) -> None:
    ref = store.put_bytes(b"the truth", "text/plain")
    path = store.local_path(ref)
    path.chmod(0o644)
    path.write_bytes(b"the t-uth")
    with pytest.raises(ArtifactCorrupt, match=f"{path}.*delete"):
        store.get_bytes(ref)


def test_a_shortened_object_is_found_and_healed_by_the_next_put(store: ObjectStore) -> None:
    ref = store.put_bytes(b"the truth", "text/plain")
    path = store.local_path(ref)
    path.chmod(0o644)
    path.write_bytes(b"the")
    assert not store.has(ref)
    with pytest.raises(ArtifactCorrupt, match="3 bytes, expected 9"):
        store.local_path(ref)
    store.put_bytes(b"the truth", "text/plain")
    assert store.get_bytes(ref) == b"the truth"


def test_many_writers_of_the_same_bytes(store: ObjectStore) -> None:
    data = os.urandom(1 << 20)
    threads = [threading.Thread(target=store.put_bytes, args=(data, "audio/wav")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ref = store.put_bytes(data, "audio/wav")
    assert store.get_bytes(ref) == data


@pytest.mark.parametrize("url", ["s3://bucket/prefix", "relative/folder", "file://elsewhere/tmp", "file:relative"])
def test_a_url_without_a_store_says_what_is_supported(url: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="file:///absolute/folder"):
        open_store(url, tmp_path)


def test_a_full_disk_names_the_folder_and_the_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalObjectStore(tmp_path)

    def no_space(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(StorageError, match=f"{tmp_path}: 7 bytes are needed"):
        store.put_bytes(b"7 bytes", "text/plain")
    assert _files(tmp_path) == []


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    store = LocalObjectStore(tmp_path / "taken")
    with pytest.raises(StorageError, match=r"cannot write in .*taken"):
        store.put_bytes(b"x", "text/plain")


def test_a_source_file_that_is_gone_says_so(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot read .*gone\.wav"):
        store.put_file(tmp_path / "gone.wav", "audio/wav")


KILLED_WRITER = """
import sys, time
from pathlib import Path
from storage.local import LocalObjectStore

def chunks():
    yield b"half of it"
    print("writing", flush=True)
    time.sleep(60)

LocalObjectStore(Path(sys.argv[1]))._store(chunks(), 20)
"""


def test_a_killed_writer_leaves_nothing_but_what_the_sweep_removes(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", KILLED_WRITER, str(tmp_path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"writing\n"
    (partial,) = _files(tmp_path)
    long_ago = time.time() - 2 * SWEEP_AGE_S
    os.utime(partial, (long_ago, long_ago))
    store = LocalObjectStore(tmp_path)
    assert store.sweep() == 0, "its writer lives"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert store.sweep() == 1
    assert _files(tmp_path) == []
