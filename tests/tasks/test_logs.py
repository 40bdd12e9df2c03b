"""Log lines of a worker parse, say whose they are, and hold no secret."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from media.tools import find_tools, input_name, run_ffmpeg
from tasks.logs import HIDDEN, JsonLines, Redact, about_line

ROOT = Path(__file__).resolve().parents[2]
SECRET, PASSWORD = "wJalrXUtnFEMI/K7MDENG", "p%40ss-w0rd"
SECRETS = (SECRET, PASSWORD, "p@ss-w0rd")
RUN = """
import logging, sys
from pathlib import Path
from prefect import flow, get_run_logger
from media.probe import probe
from tasks.ingest import extract_audio
from tasks.logs import about_line
from tasks.stage import collect_stage_times
from tasks.workplace import open_workplace

@flow
def short(path: str, secret: str) -> None:
    place = open_workplace()
    info = probe(Path(path), place.tools)
    with collect_stage_times(), about_line("L007"):
        extract_audio(place.store.put_file(Path(path), "video/mp4"), info.audio[0])
    get_run_logger().warning("the key is %s", secret)
    logging.getLogger("media.somewhere").error("cannot reach postgresql://me:p%%40ss-w0rd@host/db")
    raise RuntimeError(f"refused with {secret}")

short(sys.argv[1], sys.argv[2])
"""


@pytest.fixture
def secretive(monkeypatch: pytest.MonkeyPatch) -> logging.Filter:
    monkeypatch.setenv("JAMDUB_S3_SECRET_KEY", SECRET)
    monkeypatch.setenv("JAMDUB_DATABASE_URL", f"postgresql+psycopg://jamdub:{PASSWORD}@host/db")
    return Redact()


def record(message: str, *args: object, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("jamdub.stage", logging.INFO, __file__, 1, message, args, None)
    made.__dict__.update(fields)
    return made


def test_a_line_is_one_object_with_its_stage() -> None:
    told = json.loads(JsonLines().format(record("ran\nwell", stage="speak", wall_s=1.25)))
    assert (told["message"], told["stage"], told["wall_s"], told["level"]) == ("ran\nwell", "speak", 1.25, "INFO")
    assert "\n" not in JsonLines().format(record("ran\nwell"))
    assert "line" not in told and "run" not in told


def test_a_line_of_the_script_is_named_inside_its_block_only() -> None:
    with about_line("L001"):
        assert json.loads(JsonLines().format(record("ran")))["line"] == "L001"
    assert "line" not in json.loads(JsonLines().format(record("ran")))


def test_secrets_are_hidden_wherever_they_stand(secretive: logging.Filter) -> None:
    try:
        raise ValueError(f"{SECRET} at {PASSWORD}")
    except ValueError:
        failed = record("100 %% of %s", f"{SECRETS}", detail=SECRET)
        failed.exc_info = sys.exc_info()
    assert secretive.filter(failed)
    text = JsonLines().format(failed)
    assert not any(secret in text for secret in SECRETS)
    assert text.count(HIDDEN) >= 5 and json.loads(text)["message"].startswith("100 % of")


def test_what_is_no_secret_stays(secretive: logging.Filter) -> None:
    kept = record("frame 7 of 25 in s3://jamdub/in/talk.mp4")
    secretive.filter(kept)
    assert kept.getMessage() == "frame 7 of 25 in s3://jamdub/in/talk.mp4"


@pytest.mark.slow
def test_a_runs_lines_hold_run_and_stage_and_no_secret(prefect_api: str, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    run_ffmpeg(find_tools(), ["-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", input_name(clip)])
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PREFECT_LOGGING_SETTINGS_PATH": str(ROOT / "tasks" / "logging.yaml"),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_API_URL": prefect_api,
        "JAMDUB_HOME": str(tmp_path / "home"),
        "JAMDUB_S3_SECRET_KEY": SECRET,
        "JAMDUB_DATABASE_URL": f"postgresql+psycopg://jamdub:{PASSWORD}@host/db",
    }
    command = [sys.executable, "-c", RUN, str(clip), SECRET]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode != 0
    lines = done.stderr.splitlines()
    told = [json.loads(line) for line in lines[: next(n for n, line in enumerate(lines) if line[0] != "{")]]
    ran = [line for line in told if line["logger"] == "jamdub.stage" and line["message"] == "ran"]
    assert [(line["stage"], line["line"]) for line in ran] == [("ingest", "L007")]
    assert ran[0]["wall_s"] > 0 and len({line["run"] for line in told if "run" in line}) == 1
    assert any(line["message"] == f"the key is {HIDDEN}" and line["run"] == ran[0]["run"] for line in told)
    assert any("exception" in line and HIDDEN in line["exception"] for line in told)
    assert not any(secret in json.dumps(line) for line in told for secret in SECRETS)
