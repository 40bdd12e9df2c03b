"""`jamdub localize`: many videos into many languages, one after another in this process."""

from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.console import Console

from flows.embedded import embedded_environment, open_home, run_embedded
from flows.options import (
    AudioTrack,
    Commercial,
    Engine,
    LineTakes,
    Lips,
    Loudness,
    Seed,
    SourceLanguage,
    Speakers,
    Verbose,
    VoiceOf,
)
from flows.requests import make_request
from schemas.batch import BatchRequest, BatchSummary
from schemas.errors import ItemsFailed
from schemas.settings import Settings

localize_app = typer.Typer(rich_markup_mode=None)


@localize_app.command()
def localize(
    source: Annotated[str, typer.Argument(help="Manifest of videos (CSV or JSONL: docs/batch.md), folder, or s3://….")],
    to: Annotated[str, typer.Option("--to", help="Languages of the dubs: es,fr,pt-BR.")],
    out: Annotated[str, typer.Option(help="Folder that gets a folder for each video and language.")] = "dubs",
    redo: Annotated[
        list[str] | None, typer.Option(help="Name (talk, or talk/es) to do again, first; may be repeated.")
    ] = None,
    source_language: SourceLanguage = None,
    lips: Lips = "keep",
    speakers: Speakers = None,
    engine: Engine = "cascade",
    takes: LineTakes = 2,
    voice: VoiceOf = None,
    loudness: Loudness = "stream-16",
    audio_track: AudioTrack = None,
    seed: Seed = 0,
    commercial: Commercial = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done, why, and how long.")] = False,
    verbose: Verbose = False,
) -> None:
    """Dub many videos into many languages; what was dubbed before is skipped, and one failure stops none."""
    request = make_request(
        BatchRequest,
        source=source,
        languages=tuple(tag.strip() for tag in to.split(",") if tag.strip()),
        output_dir=out,
        redo=tuple(redo or ()),
        source_language=source_language,
        lips=lips,
        speakers=speakers,
        engine=engine,
        takes=takes,
        voice=voice,
        loudness=loudness,
        audio_track=audio_track,
        seed=seed,
        commercial=commercial,
        dry_run=dry_run,
    )
    embedded_environment(Settings(), verbose, refresh=False)
    if dry_run:
        _print_plan(request)
    else:
        _run(request, verbose)


def _run(request: BatchRequest, verbose: bool) -> None:
    from flows.summary import print_batch
    from storage.places import join, open_file

    with Console(stderr=True).status("checking the batch"):
        _check(request)
        open_home()
    try:
        summary = run_embedded(_localize_flow, request, Settings(), verbose)
    except ItemsFailed:
        written = open_file(join(request.output_dir, "summary.json"), Settings()).read()
        print_batch(BatchSummary.model_validate_json(written), Console())
        raise
    print_batch(summary, Console())


def _check(request: BatchRequest) -> None:
    """A wrong source, language or folder is told before Prefect's server is started."""
    from flows.batch_plan import check_languages, check_names
    from storage.places import prepare_folder
    from tasks.manifest import list_items

    items = list_items(request, Settings())
    check_languages(items)
    check_names(request.redo, items)
    prepare_folder(request.output_dir, Settings())


def _localize_flow() -> Callable[..., Any]:
    from flows.localize import localize_batch

    return localize_batch


def _print_plan(request: BatchRequest) -> None:
    from flows.batch_plan import estimated, plan_batch
    from flows.summary import print_batch_plan
    from tasks.workplace import open_catalogue, open_workplace

    with Console(stderr=True).status("looking at every video"):
        place = open_workplace()
        plan = plan_batch(request, place, open_catalogue(place.settings))
        reports = [estimated(planned, place).report for planned in plan]
    print_batch_plan(reports, Console())
    if any(report.state == "failed" for report in reports):
        raise typer.Exit(1)
