"""What the store in a folder promises when things go wrong."""

import errno
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.artifact import ArtifactRef
from schemas.errors import ArtifactCorrupt, StorageError
from storage.local import SWEEP_AGE_S, LocalObjectStore

ABSENT = ArtifactRef(sha256="0" * 64, media_type="audio/wav", size_bytes=1)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_bytes_of_another_hash_are_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ArtifactCorrupt, match="not kept"):
        LocalObjectStore(tmp_path).keep(ABSENT, [b"something else"])
    assert _files(tmp_path) == []


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


def test_an_object_that_is_put_again_counts_as_new(tmp_path: Path) -> None:
    store, began = LocalObjectStore(tmp_path), datetime.now(UTC) - timedelta(seconds=1)
    ref = store.put_bytes(b"again", "text/plain")
    os.utime(store.local_path(ref), (0, 0))
    store.put_bytes(b"again", "text/plain")
    assert not store.remove(ref.sha256, began)


KILLED_WRITER = """
import sys, time
from pathlib import Path
from schemas.artifact import ArtifactRef
from storage.local import LocalObjectStore

def chunks():
    yield b"half of it"
    print("writing", flush=True)
    time.sleep(60)

ref = ArtifactRef(sha256="0" * 64, media_type="audio/wav", size_bytes=20)
LocalObjectStore(Path(sys.argv[1])).keep(ref, chunks())
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
