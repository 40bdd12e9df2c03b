"""What the store in an S3 bucket promises on a network that fails, with wrong keys, and on a small disk."""

import errno
import io
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from datetime import timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from examples.topology.process import free_ports
from examples.topology.proxy import Fault, FaultyProxy
from examples.topology.s3 import Key, S3Server
from schemas.artifact import ArtifactRef
from schemas.errors import ArtifactCorrupt, StorageError
from schemas.settings import Settings
from storage.bucket import PART_BYTES, open_bucket
from storage.objects import open_store

ABSENT = ArtifactRef(sha256="0" * 64, media_type="audio/wav", size_bytes=1)
VIDEO = "video/mp4"


def settings_for(server: S3Server, home: Path, key: Key | None = None, **changes: object) -> Settings:
    key = key or server.worker
    values = {
        "home": home,
        "store_url": f"s3://{server.bucket}/{home.parent.name}",
        "s3_endpoint": server.url,
        "s3_access_key": key.access,
        "s3_secret_key": key.secret,
    }
    return Settings.model_validate(values | changes)


def copies_in(settings: Settings) -> list[Path]:
    return [path for path in settings.cache_dir.rglob("*") if path.is_file() and path.name != "looked-at"]


def keys_of(server: S3Server, settings: Settings) -> list[str]:
    prefix = settings.resolved_store_url.removeprefix(f"s3://{server.bucket}/")
    return [found.object_name or "" for found in server.client(server.admin).list_objects(server.bucket, prefix, True)]


def test_a_large_object_travels_in_parts_and_little_memory(s3_server: S3Server, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        for _ in range(5):
            file.write(os.urandom(PART_BYTES // 2) * 2)
        file.write(b"and a rest")
    store = open_store(settings_for(s3_server, tmp_path / "one"))
    store.put_bytes(b"whatever a first use needs", VIDEO)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ref = store.put_file(path, VIDEO)
    copy = open_store(settings_for(s3_server, tmp_path / "two", store_url=f"s3://{s3_server.bucket}/{tmp_path.name}"))
    assert copy.local_path(ref).stat().st_size == path.stat().st_size == ref.size_bytes > 5 * PART_BYTES
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) * 1024 < 3 * PART_BYTES


@pytest.mark.parametrize("fault", [Fault(cut_after_bytes=3_000_000), Fault(status=503), Fault(cut_after_bytes=0)])
def test_a_broken_connection_goes_on_where_it_broke(s3_server: S3Server, tmp_path: Path, fault: Fault) -> None:
    data = os.urandom(10 << 20)
    ref = open_store(settings_for(s3_server, tmp_path / "one")).put_bytes(data, VIDEO)
    with FaultyProxy(s3_server.ports[0]) as proxy:
        there = settings_for(s3_server, tmp_path / "two", s3_endpoint=f"http://127.0.0.1:{proxy.port}")
        proxy.faults.extend([fault] * 2)
        assert open_store(there).get_bytes(ref) == data
        assert proxy.connections == 3
        proxy.faults.extend([fault] * 2)
        written = open_store(there).put_bytes(data[::-1], VIDEO)
    assert open_store(settings_for(s3_server, tmp_path / "three")).get_bytes(written) == data[::-1]


def test_connections_that_all_break_soon_still_bring_an_object_in(s3_server: S3Server, tmp_path: Path) -> None:
    data = os.urandom(100_000)
    ref = open_store(settings_for(s3_server, tmp_path / "one")).put_bytes(data, VIDEO)
    with FaultyProxy(s3_server.ports[0]) as proxy:
        there = settings_for(s3_server, tmp_path / "two", s3_endpoint=f"http://127.0.0.1:{proxy.port}")
        proxy.faults.extend([Fault(cut_after_bytes=20_000)] * 20)
        assert open_store(there).get_bytes(ref) == data
        assert 5 < proxy.connections < 10


@pytest.mark.slow
def test_a_server_that_restarts_is_not_noticed(tmp_path: Path) -> None:
    with S3Server(tmp_path / "server") as server:
        store = open_store(settings_for(server, tmp_path / "home"))
        ref = store.put_bytes(b"before", VIDEO)
        server.kill()
        starter = threading.Timer(1.0, server.start)
        starter.start()
        assert store.has(ref)
        assert store.get_bytes(store.put_bytes(b"after", VIDEO)) == b"after"
        starter.join()


def test_bytes_altered_on_the_way_are_not_kept(s3_server: S3Server, tmp_path: Path) -> None:
    settings = settings_for(s3_server, tmp_path / "one")
    ref = open_store(settings).put_bytes(b"the truth", "text/plain")
    (key,) = keys_of(s3_server, settings)
    s3_server.client(s3_server.admin).put_object(s3_server.bucket, key, io.BytesIO(b"the t-uth"), 9)
    elsewhere = settings_for(s3_server, tmp_path / "two")
    with pytest.raises(ArtifactCorrupt, match=f"s3://{s3_server.bucket}/.*delete it"):
        open_store(elsewhere).local_path(ref)
    assert copies_in(elsewhere) == []


def test_a_copy_that_rots_is_not_uploaded(s3_server: S3Server, tmp_path: Path) -> None:
    settings = settings_for(s3_server, tmp_path / "one")
    store = open_store(settings)
    copy = store.local_path(store.put_bytes(b"the truth", "text/plain"))
    (key,) = keys_of(s3_server, settings)
    s3_server.client(s3_server.admin).remove_object(s3_server.bucket, key)
    copy.chmod(0o644)
    copy.write_bytes(b"the t-uth")
    with pytest.raises(ArtifactCorrupt, match=f"{copy}.*delete this file"):
        store.put_bytes(b"the truth", "text/plain")
    assert keys_of(s3_server, settings) == []


def test_an_object_that_is_put_again_counts_as_new(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(settings_for(s3_server, tmp_path / "home"))
    store.put_bytes(b"again", "text/plain")
    (first,) = store.list()
    time.sleep(1.1)  # the server's clock shows whole seconds
    monkeypatch.setattr("storage.s3.RENEWED_AFTER", timedelta(0))
    ref = store.put_bytes(b"again", "text/plain")
    (again,) = store.list()
    assert again.put_at > first.put_at
    assert open_store(settings_for(s3_server, tmp_path / "elsewhere")).get_bytes(ref) == b"again"


KILLED_UPLOAD = """
import sys, threading
from pathlib import Path
from schemas.settings import Settings
from storage.objects import open_store
open_store(Settings()).put_file(Path(sys.argv[1]), "video/mp4")
"""


def test_a_full_disk_names_the_cache_and_the_remedy(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = open_store(settings_for(s3_server, tmp_path / "one")).put_bytes(b"7 bytes", VIDEO)
    elsewhere = settings_for(s3_server, tmp_path / "two")

    def no_space(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(StorageError, match=f"{elsewhere.cache_dir}.*7 bytes are needed.*JAMDUB_CACHE_MAX_BYTES"):
        open_store(elsewhere).local_path(ref)
    assert copies_in(elsewhere) == []


@pytest.mark.slow
def test_a_killed_upload_is_never_seen(s3_server: S3Server, tmp_path: Path) -> None:
    path, settings = tmp_path / "large", settings_for(s3_server, tmp_path / "home")
    path.write_bytes(os.urandom(PART_BYTES) * 10)
    environment = s3_server.environment(s3_server.worker) | {
        "JAMDUB_STORE_URL": settings.resolved_store_url,
        "JAMDUB_HOME": str(settings.home),
    }
    writer = subprocess.Popen([sys.executable, "-c", KILLED_UPLOAD, str(path)], env=os.environ | environment)
    client = s3_server.client(s3_server.admin)
    while not client._list_multipart_uploads(s3_server.bucket).uploads:
        time.sleep(0.01)
    writer.send_signal(signal.SIGKILL)
    assert writer.wait() == -signal.SIGKILL
    assert keys_of(s3_server, settings) == []
    ref = open_store(settings).put_file(path, VIDEO)
    assert open_store(settings).has(ref)


def test_a_link_opens_the_object_until_it_expires(s3_server: S3Server, tmp_path: Path) -> None:
    store = open_store(settings_for(s3_server, tmp_path / "home"))
    ref = store.put_bytes(b"seen by anyone", VIDEO)
    link = store.link(ref, expires_s=2)
    assert link is not None and s3_server.worker.secret not in link
    with urllib.request.urlopen(link) as answer:
        assert (answer.read(), answer.headers["content-type"]) == (b"seen by anyone", VIDEO)
    with pytest.raises(HTTPError, match="403"):
        urllib.request.urlopen(link.replace(ref.sha256, "0" * 64))
    time.sleep(2.5)
    with pytest.raises(HTTPError, match="403"):
        urllib.request.urlopen(link)


def test_a_link_leads_to_the_address_that_visitors_know(s3_server: S3Server, tmp_path: Path) -> None:
    """Workers reach the server by one name, browsers by another; a link is signed for the name it has."""
    port = urlsplit(s3_server.url).port
    store = open_store(settings_for(s3_server, tmp_path / "home", s3_public_endpoint=f"http://localhost:{port}"))
    ref = store.put_bytes(b"seen from outside", VIDEO)
    link = store.link(ref, expires_s=60)
    assert link is not None and link.startswith(f"http://localhost:{port}/")
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == b"seen from outside"
    with pytest.raises(HTTPError, match="403"):
        urllib.request.urlopen(link.replace("localhost", "127.0.0.1"))


def _wrong_settings(server: S3Server, case: str) -> dict[str, object]:
    return {
        "secret": {"s3_secret_key": "a-wrong-secret"},
        "key": {"s3_access_key": "a-key-nobody-knows", "s3_secret_key": "a-wrong-secret"},
        "bucket": {"store_url": "s3://no-such-bucket/prefix"},
        "endpoint": {"s3_endpoint": f"http://127.0.0.1:{free_ports(1)[0]}"},
        "reader": {"s3_access_key": server.reader.access, "s3_secret_key": server.reader.secret},
    }[case]


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("secret", "JAMDUB_S3_SECRET_KEY"),
        ("key", "JAMDUB_S3_ACCESS_KEY"),
        ("bucket", r"no bucket 'no-such-bucket'|not allowed to"),
        pytest.param("endpoint", "does not answer.*JAMDUB_S3_ENDPOINT", marks=pytest.mark.slow),
        ("reader", "not allowed to"),
    ],
)
def test_what_is_refused_says_why_in_one_line(s3_server: S3Server, tmp_path: Path, case: str, says: str) -> None:
    settings = settings_for(s3_server, tmp_path / "home", **_wrong_settings(s3_server, case))
    with pytest.raises(StorageError, match=says) as caught:
        open_store(settings).put_bytes(b"anything", "text/plain")
    said = f"{caught.value} {settings!r} {open_bucket('bucket', settings)!r}"
    assert "\n" not in str(caught.value)
    assert "a-wrong-secret" not in said and s3_server.worker.secret not in said


def test_a_missing_bucket_is_named_to_those_who_may_know(s3_server: S3Server, tmp_path: Path) -> None:
    settings = settings_for(s3_server, tmp_path / "home", s3_server.admin, store_url="s3://no-such-bucket/prefix")
    with pytest.raises(StorageError, match="no bucket 'no-such-bucket'"):
        open_store(settings).put_bytes(b"anything", "text/plain")


def test_keys_of_another_hash_are_not_there_for_the_reader_either(s3_server: S3Server, tmp_path: Path) -> None:
    assert not open_store(settings_for(s3_server, tmp_path / "home", s3_server.reader)).has(ABSENT)


def test_settings_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="JAMDUB_S3_ENDPOINT, JAMDUB_S3_ACCESS_KEY, JAMDUB_S3_SECRET_KEY"):
        open_store(Settings(home=tmp_path, store_url="s3://bucket/prefix"))
