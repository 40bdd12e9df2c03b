"""The main path with engine `jamflow`, end to end, on a sample made here and weights of random numbers."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.dub import Receipt

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "astronaut_es.srt"

Dub = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def dub(random_engine: Path, prefect_api: str, sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Dub:
    home = tmp_path_factory.mktemp("home")

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        asked = (sample, "--from", "en", "--to", "es", "--speakers", 1, "--script", SCRIPT, "--engine", "jamflow")
        command = [sys.executable, "-m", "flows.cli", "dub", *map(str, (*asked, *arguments))]
        own = {"JAMDUB_HOME": str(home), "JAMDUB_MODELS_DIR": str(random_engine), "COLUMNS": "300"}
        own["PREFECT_API_URL"] = prefect_api
        return subprocess.run(
            command, env={**os.environ, **own}, capture_output=True, text=True, timeout=500, check=False, cwd=ROOT
        )

    return run


def receipt_in(folder: Path) -> Receipt:
    return Receipt.model_validate_json(next(folder.glob("*.receipt.json")).read_bytes())


def test_lips_kept_are_followed_in_a_packaged_voice(dub: Dub, tmp_path: Path) -> None:
    done = dub("--takes", 2, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    receipt = receipt_in(tmp_path)
    assert {line.mode for line in receipt.lines} == {"dub"} and receipt.measures.video_packets_equal is True
    for line in receipt.lines:
        assert line.mode_reason is not None and line.mode_reason.startswith("the mouth is seen in")
        assert len(line.takes) == 2 and line.takes[0].cost <= line.takes[1].cost
        assert line.voice in ("low (packaged)", "high (packaged)")
    assert receipt.consent is None and receipt.measures.dub_samples == receipt.measures.source_samples
    assert "jamflow-tiny" in {model.name for model in receipt.models}
    again = dub("--takes", 2, "--out", tmp_path)
    assert again.returncode == 0 and "0 run" in again.stdout, again.stdout


def test_new_lips_and_the_actors_own_voice_with_consent(dub: Dub, sample: Path, tmp_path: Path) -> None:
    record = {
        "person": "A", "given_by": "A", "given_on": "2020-01-01", "expires_on": "2999-01-01",
        "scope": {"languages": ["es"], "uses": ["dub"]}, "contact": "a@example.org",
        "recording_sha256": hashlib.sha256(sample.read_bytes()).hexdigest(),
    }  # fmt: skip
    (tmp_path / "c.json").write_text(json.dumps(record))
    done = dub("--takes", 1, "--lips", "reanimate", "--consent", tmp_path / "c.json", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    receipt = receipt_in(tmp_path / "out")
    assert {line.mode for line in receipt.lines} == {"reanimate"}
    assert all(line.frames_rendered > 0 for line in receipt.lines)
    (voice,) = receipt.voices
    assert voice.reference is not None and voice.reference.origin == "own" and voice.reference.phones
    assert receipt.consent is not None and receipt.consent.person == "A"
    assert [record.name for record in receipt.inputs][1:] == ["astronaut_es.srt", "c.json"]
