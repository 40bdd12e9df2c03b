"""An evaluation: refused early where something is wrong, resumed where it stopped, other systems beside ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.evaluate import check_evaluation, write_report
from schemas.errors import RequestError
from schemas.evaluation import ClipScores, EvaluationReport, EvaluationRequest, EvaluationRow, Measure, SystemFolder


def request(out: Path, **changes: object) -> EvaluationRequest:
    return EvaluationRequest.model_validate({"manifest": str(out / "clips.jsonl"), "out": str(out), **changes})


def test_what_is_wrong_is_said_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"clips\.jsonl is no file"):
        check_evaluation(request(tmp_path))
    with pytest.raises(RequestError, match="there is no trial 'dubbing'"):
        check_evaluation(request(tmp_path, trials=("dubbing",)))
    with pytest.raises(RequestError, match="is no folder"):
        check_evaluation(request(tmp_path, systems=(SystemFolder(name="theirs", path=str(tmp_path / "no")),)))
    with pytest.raises(RequestError, match="a row of ours"):
        check_evaluation(request(tmp_path, systems=(SystemFolder(name="dub", path=str(tmp_path)),)))


def test_the_report_says_the_measures_and_escapes_what_others_wrote(tmp_path: Path) -> None:
    measure = Measure(n=1, mean=0.5, median=0.5, low=0.25, high=0.75)
    row = EvaluationRow(
        name="recording",
        about="<b>bold</b>",
        clips=(ClipScores(clip="a", text="<script>", values={"word_accuracy": 0.5}, aperture=(0.0, 1.0, -9.0)),),
        measures={"word_accuracy": measure},
    )
    report = EvaluationReport(
        jamdub_version="0", request=request(tmp_path), weights="w", weights_sha256="0" * 64, rows=(row,)
    )
    write_report(report, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<polyline") == 1 and "0.0,20.0 100.0,12.0 200.0,40.0" in page, "a curve stays in its frame"
    assert "0.500 (0.250 to 0.750)" in page and "<script>" not in page and "<b>bold" not in page
    assert "| 0.500 (0.250 to 0.750) |" in (tmp_path / "results.md").read_text(encoding="utf-8")
    assert EvaluationReport.model_validate_json((tmp_path / "report.json").read_text(encoding="utf-8")) == report


@pytest.mark.slow
@pytest.mark.shared
def test_real_clips_are_performed_once_and_measured_beside_another_system(
    shared_dir: Path, random_engine: Path, prefect_api: str, tmp_path: Path
) -> None:
    grid = shared_dir / "corpus" / "grid_s1" / "grid_s1.jsonl"
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    command = [sys.executable, "-m", "flows.cli", "evaluate", str(grid), "--language", "en-GB", "--clips", "1"]
    command += ["--out", str(tmp_path / "out"), "--trial", "dub", "--trial", "lipsync", "--steps", "1"]
    own = {"JAMDUB_HOME": str(tmp_path / "home"), "JAMDUB_MODELS_DIR": str(random_engine)}
    environment = {**os.environ, **own, "PREFECT_API_URL": prefect_api}

    def run(*more: str) -> EvaluationReport:
        done = subprocess.run([*command, *more], env=environment, capture_output=True, text=True, timeout=500)
        assert done.returncode == 0, done.stderr[-2000:]
        return EvaluationReport.model_validate(json.loads((tmp_path / "out" / "report.json").read_text()))

    first = run()
    assert [row.name for row in first.rows] == ["recording", "dub", "lipsync"]
    recording, dub, lips = first.rows
    assert recording.measures["word_accuracy"].mean > dub.measures["word_accuracy"].mean
    assert recording.measures["deviation"].mean == 0.0 < dub.measures["deviation"].mean
    assert abs(lips.measures["aperture_r"].mean) < 0.8  # random weights
    made = tmp_path / "out" / "dub" / f"{dub.clips[0].clip}.wav"
    written_ns = made.stat().st_mtime_ns
    (theirs / made.name).write_bytes((tmp_path / "out" / "recording" / made.name).read_bytes())
    second = run("--system", f"theirs={theirs}")
    assert made.stat().st_mtime_ns == written_ns
    assert second.rows[-1].name == "theirs"
    assert second.rows[-1].measures == recording.measures
