"""`jamdub review`: see what waits for a person's word, and give it."""

import os
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown

from flows.requests import make_request
from schemas.errors import Rejected, RequestError
from schemas.review import Answer, Review
from schemas.settings import Settings

review_app = typer.Typer(rich_markup_mode=None)


@review_app.command()
def review(
    run: Annotated[str | None, typer.Argument(help="A run's id or its beginning; default: list what waits.")] = None,
    approve: Annotated[bool, typer.Option("--approve", help="Let it go on, with the edits if there are any.")] = False,
    reject: Annotated[str | None, typer.Option(metavar="REASON", help="End it, and say why.")] = None,
    edits: Annotated[list[str] | None, typer.Option("--edit", help="'L0001: the new text'; may be repeated.")] = None,
    script: Annotated[str | None, typer.Option(help="A whole new script in place of edited lines.")] = None,
    reviewer: Annotated[str, typer.Option(help="Your name, for the receipt.")] = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show logs and tracebacks.")] = False,
) -> None:
    """Show what waits for review; approve it, edit it or reject it, and the run goes on."""
    if run is None:
        _list()
        return
    asked = find_open(run)
    if not (approve or reject is not None or edits or script):
        Console().print(Markdown(asked.question.page))
        typer.echo(f"run {asked.run_id}: answer by --approve, --edit 'L0001: text', --script FILE or --reject REASON")
        return
    if approve and reject is not None:
        raise RequestError("--approve and --reject exclude each other: leave out one")
    answer = make_request(
        Answer,
        decision="reject" if reject is not None else "approve",
        reason=reject or "",
        reviewer=reviewer,
        edits="\n".join(edits or ()),
        script=script or "",
    )
    give(asked, answer, verbose)


def find_open(run: str) -> Review:
    """Return the open question of a run. Raises: RequestError, where there is none."""
    from storage.reviews import ReviewBook
    from tasks.workplace import open_catalogue

    catalogue = open_catalogue(Settings())
    found = catalogue.show_run(run)
    if found is None:
        raise RequestError(f"no run {run!r} in the catalogue; `jamdub review` lists what waits")
    asked = ReviewBook(catalogue).open_of(found.id)
    if asked is None or found.status != "waiting":
        raise RequestError(f"run {found.id} does not wait for a review: it is {found.status}")
    return asked


def give(asked: Review, answer: Answer, verbose: bool) -> None:
    """Give an answer: to Prefect, where the run is suspended there, else to the catalogue, and run on here."""
    if os.environ.get("PREFECT_API_URL") and _resume(asked, answer):
        return
    from flows.cli import run_dub
    from flows.embedded import embedded_environment
    from flows.review import give_answer
    from storage.reviews import ReviewBook
    from tasks.workplace import open_catalogue, open_workplace

    settings = Settings()
    embedded_environment(settings, verbose, refresh=False)
    catalogue = open_catalogue(settings)
    run = catalogue.show_run(asked.run_id)
    assert run is not None, "its question was found"
    try:
        give_answer(asked.run_id, asked.question, answer, ReviewBook(catalogue), open_workplace())
    except Rejected as error:
        catalogue.finish_run(asked.run_id, "rejected", None, str(error), run.seconds or 0.0)
        typer.echo(f"run {asked.run_id} is rejected")
        return
    run_dub(run.request, verbose)


def _resume(asked: Review, answer: Answer) -> bool:
    """Let Prefect's server go on with a run that is suspended there; False: it is not."""
    from uuid import UUID

    from prefect.exceptions import NotPausedError, ObjectNotFound
    from prefect.flow_runs import resume_flow_run

    from flows.review import check_answer
    from tasks.workplace import open_workplace

    check_answer(asked.question, answer, open_workplace())
    try:
        resume_flow_run(UUID(asked.run_id), run_input=answer.model_dump(mode="json"))
    except (NotPausedError, ObjectNotFound):
        return False
    typer.echo(f"run {asked.run_id} goes on")
    return True


def _list() -> None:
    from storage.reviews import ReviewBook
    from tasks.workplace import open_catalogue

    waiting = ReviewBook(open_catalogue(Settings())).all_open()
    for asked in waiting:
        typer.echo(f"{asked.run_id}  {asked.question.stage:<6}  since {asked.asked_at:%Y-%m-%d %H:%M}")
    if not waiting:
        typer.echo("nothing waits for review")
