"""The `jamdub` command line: the same flows, run in this process."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from flows.embedded import embedded_environment, open_home, run_embedded
from flows.evaluate_cli import evaluate_app
from flows.localize_cli import localize_app
from flows.models_cli import models_app
from flows.options import (
    AudioTrack,
    Commercial,
    Engine,
    LineTakes,
    Lips,
    Loudness,
    Overwrite,
    Refresh,
    Seed,
    SourceLanguage,
    Speakers,
    Verbose,
    VoiceOf,
)
from flows.performer_cli import performer_app
from flows.requests import make_request
from flows.review_cli import review_app
from flows.store_cli import store_app
from flows.train_cli import train_app
from schemas.errors import JamdubError, RequestError
from schemas.settings import Settings

if TYPE_CHECKING:
    from schemas.dub import DubRequest, DubResult

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(localize_app)
app.add_typer(performer_app)
app.add_typer(evaluate_app)
app.add_typer(train_app)
app.add_typer(review_app)
app.add_typer(store_app)
app.add_typer(models_app, name="models")

CANCELLED = 130


def main() -> None:
    """Run the command line; every error is one line and an exit code (see schemas.errors)."""
    is_verbose = "--verbose" in sys.argv or "-v" in sys.argv
    try:
        app()
    except JamdubError as error:
        _fail(error, str(error), error.exit_code, is_verbose)
    except KeyboardInterrupt:
        typer.echo("jamdub: stopped; run the same command again to go on where it was", err=True)
        sys.exit(CANCELLED)
    except Exception as error:  # the outermost boundary: our own fault, said in one line
        message = f"internal error: {type(error).__name__}: {error}; --verbose shows where"
        _fail(error, message, JamdubError.exit_code, is_verbose)


def _fail(error: Exception, message: str, exit_code: int, is_verbose: bool) -> None:
    if is_verbose:
        raise error
    typer.echo(f"jamdub: {' '.join(message.split())}", err=True)
    sys.exit(exit_code)


@app.command()
def dub(
    video: Annotated[str, typer.Argument(help="The video to dub.")],
    to: Annotated[str, typer.Option("--to", help="Language of the dub, a BCP-47 tag: es, en, pt-BR.")],
    source_language: SourceLanguage = None,
    script: Annotated[str | None, typer.Option(help="Your translation: SRT, WebVTT, JSON or CSV.")] = None,
    lips: Lips = "keep",
    speakers: Speakers = None,
    engine: Engine = "cascade",
    takes: LineTakes = 2,
    voice: VoiceOf = None,
    consent: Annotated[str | None, typer.Option(help="Consent record (JSON) of the person whose voice is own.")] = None,
    out: Annotated[str, typer.Option(help="Folder of the deliverables.")] = "dubs",
    loudness: Loudness = "stream-16",
    audio_track: AudioTrack = None,
    seed: Seed = 0,
    review: Annotated[bool, typer.Option("--review", help="Wait for your word before speaking and delivery.")] = False,
    commercial: Commercial = False,
    overwrite: Overwrite = False,
    refresh: Refresh = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and the estimated time only.")] = False,
    verbose: Verbose = False,
) -> None:
    """Dub a video into another language."""
    from schemas.dub import DubRequest

    request = make_request(
        DubRequest,
        video=video,
        target_language=to,
        source_language=source_language,
        script=script,
        lips=lips,
        speakers=speakers,
        engine=engine,
        takes=takes,
        voice=voice,
        consent=consent,
        output_dir=out,
        loudness=loudness,
        audio_track=audio_track,
        seed=seed,
        review=review,
        commercial=commercial,
        overwrite=overwrite,
    )
    embedded_environment(Settings(), verbose, refresh)
    if dry_run:
        _print_plan(request)
    else:
        run_dub(request, verbose)


def run_dub(request: "DubRequest", verbose: bool) -> None:
    """Dub in this process, with a live display, and print what came of it."""
    with Console(stderr=True).status("checking the request"):
        from flows.check import check_request
        from flows.summary import print_result
        from tasks.deliver import prepare_output
        from tasks.workplace import open_workplace

        place = open_workplace()
        open_home()
        checked = check_request(request, place)  # a wrong request is told before Prefect's server is started
        prepare_output(request, place)
    if request.lips == "reanimate" and checked.told is not None:
        typer.echo(checked.told, err=True)
    print_result(run_embedded(_dub_flow, request, place.settings, verbose), Console())


def _dub_flow() -> "Callable[[DubRequest], DubResult]":
    from flows.dub import dub_video

    return dub_video


def _print_plan(request: "DubRequest") -> None:
    from flows.check import check_request
    from flows.plan import plan
    from flows.summary import print_plan
    from tasks.face_models import drawing_cpu_s
    from tasks.workplace import open_workplace

    checked = check_request(request, open_workplace())
    planned = plan(request, checked.info, checked.cues, drawing_cpu_s(checked.faces_by))
    print_plan(planned, checked.space, Console())


@app.command()
def doctor() -> None:
    """Say what is installed, what is missing, and how to get it."""
    from flows.doctor import examine
    from flows.summary import print_checks

    checks = examine(Settings())
    print_checks(checks, Console())
    if any(check.is_required and not check.is_present for check in checks):
        raise typer.Exit(1)


@app.command()
def setup() -> None:
    """Make an installation ready: catalogue, store, and Prefect's pools, limits, automations and deployments."""
    settings = Settings()
    from flows.setup import set_up

    for done in set_up(settings):
        typer.echo(f"{done.what:>44}  {done.how}")


@app.command()
def show(
    run: Annotated[str | None, typer.Argument(help="A run's id or its beginning; default: list the last runs.")] = None,
) -> None:
    """Show a run: its lines, takes and files."""
    from flows.summary import print_run, print_runs
    from tasks.workplace import open_catalogue

    catalogue = open_catalogue(Settings())
    if run is None:
        runs = catalogue.list_runs()
        print_runs(runs, {run.id for run in runs if catalogue.is_stale(run)}, Console())
        return
    found = catalogue.show_run(run)
    if found is None:
        raise RequestError(f"no run {run!r} in the catalogue; `jamdub show` lists the last ones")
    print_run(found, catalogue.is_stale(found), Console())


if __name__ == "__main__":
    main()
