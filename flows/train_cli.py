"""`jamdub train`, and the same for each of the processes that `torchrun` starts."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from flows.embedded import embedded_environment, open_home
from schemas.errors import JamdubError
from schemas.settings import Settings

train_app = typer.Typer(add_completion=False, rich_markup_mode=None)


@train_app.command()
def train(
    config: Annotated[Path, typer.Option(help="TOML file of the training; see docs/training.md.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the training; default: the file's.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and print the plan only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show logs and tracebacks.")] = False,
) -> None:
    """Train the joint model, its vocoder and its timing; started again, it goes on where it was."""
    embedded_environment(Settings(), verbose, refresh=False)
    if "RANK" in os.environ:
        _train_together(config, out)
        return
    print_plan(config, out)
    if not dry_run:
        _run_flow(config, out)


def _run_flow(file: Path, out: Path | None) -> None:
    open_home()
    from flows.train import train as run

    typer.echo(run(file.absolute(), None if out is None else out.absolute()))


def print_plan(file: Path, out: Path | None) -> None:
    """Check a training and say what it will do. Raises: RequestError, WeightsError, as the checks."""
    with Console(stderr=True).status("checking the training"):
        from tasks.train_config import read_training
        from tasks.train_plan import plan, precision_of

        config = read_training(file, out)
        rows = plan(config)
    table = Table("stage", "what", "there already", title=str(config.out), title_justify="left")
    for row in rows:
        table.add_row(row.stage, row.asked, row.there)
    console = Console(stderr=True)
    console.print(table)
    console.print(precision_of(config), highlight=False, soft_wrap=True)


def _train_together(file: Path, out: Path | None) -> None:
    """One of several processes: the first runs the flow, the others do their share of its trainings."""
    from models.training.distributed import process_group, rank
    from tasks.train_networks import STAGES
    from tasks.train_ranks import dismiss, follow, meet

    with process_group():
        meet()
        if rank() != 0:
            follow(STAGES)
            return
        print_plan(file, out)
        _run_flow(file, out)
        dismiss()


def main() -> None:
    """As a program of its own (`python -m flows.train`): an error is one line and an exit code."""
    try:
        train_app()
    except JamdubError as error:
        if "--verbose" in sys.argv or "-v" in sys.argv:
            raise
        typer.echo(f"jamdub: {' '.join(str(error).split())}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("jamdub: stopped; run the same command again to go on where it was", err=True)
        sys.exit(130)
