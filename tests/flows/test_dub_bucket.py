"""A dub whose files, objects and catalogue lie on servers: nothing but caches stays on the machine that made it."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile
from skimage.data import astronaut
from sqlalchemy import make_url

from examples.topology.s3 import S3Server
from schemas.dub import Receipt
from schemas.performance_request import PerformanceReceipt
from storage.catalogue import Catalogue
from storage.engine import make_engine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

ROOT = Path(__file__).resolve().parents[2]

Jamdub = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def jamdub(s3_server: S3Server, postgres_url: str, prefect_api: str, tmp_path: Path) -> Jamdub:
    environment = os.environ | s3_server.environment(s3_server.worker)
    environment["JAMDUB_HOME"] = str(tmp_path / "home")
    environment["JAMDUB_STORE_URL"] = f"s3://{s3_server.bucket}/store"
    environment["JAMDUB_DATABASE_URL"] = postgres_url
    environment["PREFECT_API_URL"] = prefect_api
    environment["COLUMNS"] = "300"

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flows.cli", *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1700, cwd=ROOT)

    return run


def listed(server: S3Server, prefix: str) -> dict[str, str]:
    found = server.client(server.admin).list_objects(server.bucket, prefix, recursive=True)
    return {(item.object_name or "").removeprefix(prefix): item.etag or "" for item in found}


def test_a_portrait_in_a_bucket_speaks_in_a_bucket(jamdub: Jamdub, s3_server: S3Server, tmp_path: Path) -> None:
    client, bucket, rate_hz = s3_server.client(s3_server.admin), s3_server.bucket, 24_000
    cv2.imwrite(str(tmp_path / "face.png"), cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR))
    soundfile.write(tmp_path / "tone.wav", 0.1 * np.sin(np.arange(rate_hz) / 20), rate_hz)
    for name in ("face.png", "tone.wav"):
        client.fput_object(bucket, f"in/{name}", str(tmp_path / name))
    asked = ("animate", f"s3://{bucket}/in/face.png", f"s3://{bucket}/in/tone.wav")
    done = jamdub(*asked, "--out", f"s3://{bucket}/faces/a.mp4")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [f"s3://{bucket}/faces/a.mp4", f"s3://{bucket}/faces/a.receipt.json"]
    receipt = PerformanceReceipt.model_validate_json(client.get_object(bucket, "faces/a.receipt.json").read())
    assert [own.name for own in receipt.inputs] == ["face.png", "tone.wav"]
    made = client.get_object(bucket, "faces/a.mp4").read()
    assert [own.sha256 for own in receipt.outputs] == [hashlib.sha256(made).hexdigest()]
    assert listed(s3_server, "faces/").keys() == {"a.mp4", "a.receipt.json"}


def test_a_video_in_a_bucket_becomes_a_dub_in_a_bucket(
    jamdub: Jamdub, s3_server: S3Server, postgres_url: str, spoken_clip: Path, tmp_path: Path
) -> None:
    client, bucket = s3_server.client(s3_server.admin), s3_server.bucket
    client.fput_object(bucket, "in/the talk.mp4", str(spoken_clip))
    client.fput_object(bucket, "in/talk.srt", str(spoken_clip.with_suffix(".es.srt")))
    asked = ("dub", f"s3://{bucket}/in/the talk.mp4", "--script", f"s3://{bucket}/in/talk.srt", "--speakers", 1)
    asked = (*asked, "--from", "en", "--to", "es")

    done = jamdub(*asked, "--out", f"s3://{bucket}/out/")
    assert done.returncode == 0, done.stderr
    made = listed(s3_server, "out/")
    base = "the talk.es"
    assert set(made) == {f"{base}{end}" for end in (".mp4", ".srt", ".vtt", ".receipt.json", ".report.html")}
    receipt = Receipt.model_validate_json(client.get_object(bucket, f"out/{base}.receipt.json").read())
    assert receipt.inputs[0].name == "the talk.mp4"
    assert receipt.measures.dub_samples == receipt.measures.source_samples
    (run,) = Catalogue(make_engine(postgres_url)).list_runs()
    assert (run.status, run.video_name) == ("completed", "the talk.mp4")
    assert run.receipt is not None
    stored = client.stat_object(bucket, f"store/sha256/{run.receipt.sha256[:2]}/{run.receipt.sha256}")
    assert stored.size == run.receipt.size_bytes

    again = jamdub(*asked, "--out", f"s3://{bucket}/out")
    assert again.returncode == 0 and " 0 run" in again.stdout, again.stderr
    assert listed(s3_server, "out/") == made, "what was delivered is left as it is"
    other = jamdub(*asked, "--out", f"s3://{bucket}/out", "--seed", 7)
    assert other.returncode == 2 and "already there" in other.stderr

    stats = json.loads(jamdub("stats", "--last", 2, "--json").stdout)
    speak = next(stage for stage in stats["stages"] if stage["stage"] == "speak")
    assert (stats["runs"], speak["tasks"], speak["cached"]) == (2, len(receipt.lines), len(receipt.lines))
    assert speak["median_s"] > 0 and speak["bytes_out"] > 0 and stats["cached_share"] == pytest.approx(0.5)
    spared = jamdub("gc", "--older-than", 1, "--delete")
    assert spared.returncode == 0 and "removed 0 objects" in spared.stdout, spared.stderr
    examined = jamdub("doctor")
    assert examined.returncode == 0 and f"s3://{bucket}/store" in examined.stdout, examined.stdout
    assert make_url(postgres_url).password not in f"{examined.stdout}{examined.stderr}"

    kept = "".join(path.read_text(errors="replace") for path in (tmp_path / "home").rglob("*.log"))
    assert s3_server.worker.secret not in kept + done.stdout + done.stderr + str(receipt)
