"""`jamdub evaluate`: the joint model measured on clips whose truth is known."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.embedded import embedded_environment, open_home, run_embedded
from flows.quiet import quiet_stderr
from flows.requests import make_request
from schemas.errors import RequestError
from schemas.evaluation import EvaluationReport, EvaluationRequest, SystemFolder
from schemas.settings import Settings

evaluate_app = typer.Typer(rich_markup_mode=None)


@evaluate_app.command()
def evaluate(
    manifest: Annotated[str, typer.Argument(help="JSONL file of a corpus of films with texts (docs/training.md).")],
    out: Annotated[str, typer.Option(help="Folder of the outputs and the report; a run that was cut goes on there.")],
    language: Annotated[str | None, typer.Option(help="Language of the texts, if not the manifest's.")] = None,
    picture_late_s: Annotated[
        float | None, typer.Option(min=-1, max=1, help="How long after its sound the picture is seen; GRID: 0.04.")
    ] = None,
    split: Annotated[str, typer.Option(help="Which split's clips are performed.")] = "test",
    voice_split: Annotated[str, typer.Option(help="Which split's clips are reference voices.")] = "train",
    clips: Annotated[int | None, typer.Option(min=1, help="At most so many clips.")] = None,
    trials: Annotated[list[str] | None, typer.Option("--trial", help="Only these rows; default: all.")] = None,
    systems: Annotated[
        list[str] | None, typer.Option("--system", help="NAME=FOLDER of another system's CLIP.wav files.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, max=128, help="Of the sampler.")] = 16,
    guidance: Annotated[float, typer.Option(min=0, max=10, help="Of both streams.")] = 2.0,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and print the plan only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show logs and tracebacks.")] = False,
) -> None:
    """Perform every trial on every clip, measure all rows alike, and write report.html, report.json, results.md."""
    settings = Settings()
    embedded_environment(settings, verbose, refresh=False)
    request = make_request(
        EvaluationRequest,
        manifest=manifest,
        language=language,
        picture_late_s=picture_late_s,
        split=split,
        voice_split=voice_split,
        clips=clips,
        trials=tuple(trials or ()),
        systems=tuple(_system(named) for named in systems or ()),
        steps=steps,
        guidance=guidance,
        seed=seed,
        out=out,
    )
    with quiet_stderr(settings.home / "logs" / "native.log") as console, console.status("checking the request"):
        from flows.evaluate import check_evaluation

        check_evaluation(request)  # a wrong request is told before Prefect's server is started
    if dry_run:
        _print_plan(request)
        return
    open_home()
    report = run_embedded(_load, request, settings, verbose)
    typer.echo((Path(out) / "results.md").read_text(encoding="utf-8"), nl=False)
    typer.echo(f"{len(report.rows)} rows of {len(report.rows[0].clips)} clips: {Path(out) / 'report.html'}")


def _system(named: str) -> SystemFolder:
    name, separator, path = named.partition("=")
    if not separator:
        raise RequestError(f"--system {named!r} is not NAME=FOLDER: name the system, and where its outputs lie")
    return make_request(SystemFolder, name=name, path=path)


def _load() -> Callable[[EvaluationRequest], EvaluationReport]:
    from flows.evaluate import evaluate as flow

    loaded: Any = flow
    return loaded


def _print_plan(request: EvaluationRequest) -> None:
    from models.corpus.manifest import read_manifest
    from models.evaluation.trials import TRIALS

    listed = [entry for entry in read_manifest(Path(request.manifest)) if entry.split == request.split]
    typer.echo(f"{len(listed[: request.clips])} clips of {request.split} in {request.manifest}, into {request.out}")
    for name in request.trials or tuple(TRIALS):
        typer.echo(f"  {name}: {TRIALS[name].about}")
    for system in request.systems:
        typer.echo(f"  {system.name}: outputs in {system.path}")
