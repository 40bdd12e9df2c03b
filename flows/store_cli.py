"""`jamdub stats` and `jamdub gc`: what runs took, and what they no longer need."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console

from schemas.settings import Settings

store_app = typer.Typer()


@store_app.command()
def stats(
    last: Annotated[int | None, typer.Option(min=1, help="Only the last so many runs.")] = None,
    days: Annotated[float | None, typer.Option(min=0, help="Only runs of the last so many days.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show where the time of the runs went: every stage, from the catalogue."""
    from flows.stats import print_stats, summarise
    from storage.stages import list_stages
    from tasks.workplace import open_catalogue

    since = None if days is None else datetime.now(UTC) - timedelta(days=days)
    found = summarise(list_stages(open_catalogue(Settings()), last, since))
    if json:
        typer.echo(found.model_dump_json(indent=1))
    else:
        print_stats(found, Console())


@store_app.command()
def gc(
    older_than: Annotated[int, typer.Option(min=1, help="Days: younger runs and objects are kept.")] = 30,
    delete: Annotated[bool, typer.Option("--delete", help="Remove them; otherwise they are only counted.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count: this is the default.")] = False,
) -> None:
    """Remove stored objects and results that no kept run needs."""
    from schemas.errors import RequestError
    from tasks.retention import remove_unneeded
    from tasks.workplace import open_catalogue, open_workplace

    if delete and dry_run:
        raise RequestError("--delete and --dry-run contradict each other: give one of them")
    place = open_workplace()
    plan = remove_unneeded(place, open_catalogue(place.settings), timedelta(days=older_than), delete=delete)
    done = "removed" if delete else "would remove, with --delete,"
    typer.echo(
        f"{done} {len(plan.objects)} objects of {plan.size_bytes / 1e6:.1f} MB and {len(plan.results)} results of tasks"
    )
