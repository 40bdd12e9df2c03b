"""Evaluate the joint model, and other systems beside it, on clips whose truth is known."""

from importlib.metadata import version
from pathlib import Path

from prefect import flow

from flows.form import form
from media.report.evaluation import evaluation_markdown, evaluation_page
from models.evaluation.scores import MEASURES
from models.evaluation.trials import TRIALS, trial_of
from schemas.errors import RequestError
from schemas.evaluation import EvaluationReport, EvaluationRequest, EvaluationRow
from schemas.settings import Settings
from storage.files import write_whole
from storage.places import local_path
from tasks.evaluate import RECORDINGS, claim_outputs, gather, keep_recordings, open_weights, perform_trial, score_row

JSON, PAGE, TABLE = "report.json", "report.html", "results.md"


@flow(name="evaluate")
@form(EvaluationRequest)
def evaluate(request: EvaluationRequest) -> EvaluationReport:
    """Perform every trial on every clip, measure all rows alike, and write the report."""
    check_evaluation(request)
    engine, name, sha256 = open_weights()
    claim_outputs(request, sha256)
    material = gather(request)
    rows: list[EvaluationRow] = [
        score_row(RECORDINGS, "the recordings themselves", keep_recordings(request, material), request, material)
    ]
    for trial in material.trials(request.trials):
        folder = perform_trial(trial, request, material, engine)
        rows.append(score_row(trial, trial_of(trial).about, folder, request, material))
    for system in request.systems:
        rows.append(score_row(system.name, "another system's outputs", Path(system.path), request, material))
    report = EvaluationReport(
        jamdub_version=version("jamdub"), request=request, weights=name, weights_sha256=sha256, rows=tuple(rows)
    )
    write_report(report, Path(request.out))
    return report


def check_evaluation(request: EvaluationRequest) -> None:
    """Raises: RequestError, where something asked for is not there or has the name of something else."""
    for trial in request.trials:
        trial_of(trial)
    settings = Settings()
    for system in request.systems:
        if system.name in (*TRIALS, RECORDINGS):
            raise RequestError(f"a system cannot be called {system.name!r}, which is a row of ours: rename it")
        if not local_path(system.path, settings).is_dir():
            raise RequestError(f"{system.path}, the outputs of {system.name}, is no folder: check --system")
    local_path(request.out, settings)
    if not local_path(request.manifest, settings).is_file():
        raise RequestError(f"{request.manifest} is no file: name the JSONL file of a corpus")


def write_report(report: EvaluationReport, out: Path) -> None:
    """Write JSON, page and table, each whole or not at all."""
    files = {
        JSON: report.model_dump_json(indent=1) + "\n",
        PAGE: evaluation_page(report, MEASURES),
        TABLE: evaluation_markdown(report, MEASURES),
    }
    for name, text in files.items():
        write_whole(out / name, text.encode())
