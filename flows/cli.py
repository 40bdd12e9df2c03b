"""The `jamdub` command line: the same flows, run in this process."""

import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import ValidationError
from rich.console import Console

from flows.models_cli import models_app
from schemas.errors import JamdubError, RequestError
from schemas.settings import Settings

if TYPE_CHECKING:
    from schemas.dub import DubRequest, DubResult

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
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
    source_language: Annotated[str | None, typer.Option("--from", help="Language spoken; default: detected.")] = None,
    script: Annotated[str | None, typer.Option(help="Your translation: SRT, WebVTT, JSON or CSV.")] = None,
    lips: Annotated[
        Literal["keep", "reanimate"], typer.Option(help="Keep the picture or re-animate the lips.")
    ] = "keep",
    speakers: Annotated[int | None, typer.Option(min=1, max=20, help="How many speak; default: detected.")] = None,
    out: Annotated[str, typer.Option(help="Folder of the deliverables.")] = "dubs",
    loudness: Annotated[Literal["stream-16", "ebu-23"], typer.Option(help="Loudness profile.")] = "stream-16",
    audio_track: Annotated[int | None, typer.Option(min=0, help="Which audio track; default: the default one.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    commercial: Annotated[bool, typer.Option(help="Refuse weights that forbid commercial use.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace deliverables that are there.")] = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="Compute everything anew, ignoring the cache.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and the estimated time only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show logs and tracebacks.")] = False,
) -> None:
    """Dub a video into another language."""
    from schemas.dub import DubRequest

    try:
        request = DubRequest(
            video=video,
            target_language=to,
            source_language=source_language,
            script=script,
            lips=lips,
            speakers=speakers,
            output_dir=out,
            loudness=loudness,
            audio_track=audio_track,
            seed=seed,
            commercial=commercial,
            overwrite=overwrite,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise RequestError(f"{'.'.join(map(str, first['loc']))} {first['input']!r}: {first['msg']}") from error
    embedded_environment(Settings(), verbose, refresh)
    if dry_run:
        _print_plan(request)
    else:
        _run(request, verbose)


def embedded_environment(settings: Settings, verbose: bool, refresh: bool) -> None:
    """Set what Prefect and the model libraries read at import, unless the user has set it."""
    home = settings.home.absolute()
    defaults = {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_LOCAL_STORAGE_PATH": str(home / "results"),
        "PREFECT_LOGGING_LEVEL": "INFO" if verbose else "CRITICAL",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # A first start migrates the server's database: 20 s, the default limit, is too short on two cores.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_TASKS_REFRESH_CACHE": "true" if refresh else "false",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "PYANNOTE_METRICS_ENABLED": "0",
        "GLOG_minloglevel": "2",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "MPLBACKEND": "Agg",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    if not verbose:
        warnings.filterwarnings("ignore")


def _run(request: "DubRequest", verbose: bool) -> None:
    with Console(stderr=True).status("checking the request"):
        from flows.check import check_request
        from flows.orphans import stop_orphaned_servers
        from flows.summary import print_result
        from tasks.deliver import prepare_output
        from tasks.workplace import open_workplace

        place = open_workplace()
        stop_orphaned_servers(Path(os.environ["PREFECT_HOME"]))
        check_request(request, place)  # a wrong request is told before Prefect's server is started
        prepare_output(request)
    result = _run_aloud(request) if verbose else _run_quietly(request, place.settings)
    print_result(result, Console())


def _run_aloud(request: "DubRequest") -> "DubResult":
    from flows.dub import dub_video

    return dub_video(request)


def _run_quietly(request: "DubRequest", settings: Settings) -> "DubResult":
    from flows.live import live_progress
    from flows.quiet import quiet_stderr

    with quiet_stderr(settings.home / "logs" / "native.log") as console:
        with console.status("starting Prefect"):
            from flows.dub import dub_video
        with live_progress(console):
            return dub_video(request)


def _print_plan(request: "DubRequest") -> None:
    from flows.check import check_request
    from flows.plan import plan
    from flows.summary import print_plan
    from tasks.workplace import open_workplace

    checked = check_request(request, open_workplace())
    print_plan(plan(request, checked.info, len(checked.cues) if checked.cues else None), Console())


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
def show(
    run: Annotated[str | None, typer.Argument(help="A run's id or its beginning; default: list the last runs.")] = None,
) -> None:
    """Show a run: its lines, takes and files."""
    from flows.summary import print_run, print_runs
    from tasks.workplace import open_catalogue

    catalogue = open_catalogue(Settings())
    if run is None:
        print_runs(catalogue.list_runs(), Console())
        return
    found = catalogue.show_run(run)
    if found is None:
        raise RequestError(f"no run {run!r} in the catalogue; `jamdub show` lists the last ones")
    print_run(found, Console())


if __name__ == "__main__":
    main()
