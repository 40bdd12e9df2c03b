"""`jamdub models`: which weights are there, whether they are whole, and how released ones become ours."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Column, Table

from schemas.errors import RequestError
from schemas.settings import Settings

models_app = typer.Typer(no_args_is_help=False, rich_markup_mode=None, help="List, verify and convert weights.")


@models_app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """List, verify and convert weights; without a command: list."""
    if context.invoked_subcommand is None:
        list_models()


@models_app.command("list")
def list_models() -> None:
    """List the weights that jamdub knows: what is there, under which licence, and how to get the rest."""
    from flows.models_table import rows

    found, console = rows(Settings()), Console()
    table = Table("", Column("weights", no_wrap=True), Column("size", no_wrap=True), Column("licence", overflow="fold"))
    for row in found:
        size = f"{row.size_bytes / 1e6:.1f} MB" if row.is_present else ""
        table.add_row("ok" if row.is_present else row.absent, row.name, size, row.licence)
    console.print(table)
    for row in found:
        if row.detail:
            console.print(f"{row.name}: {row.detail}", markup=False, highlight=False, soft_wrap=True)


@models_app.command()
def verify(
    path: Annotated[
        Path, typer.Argument(help="jamflow-tiny, a checkpoint folder, a Vocos folder, or a released F5-TTS file.")
    ],
    release: Annotated[
        str | None, typer.Option(help="Which F5-TTS a released file is: F5TTS_v1_Base, F5TTS_Base.")
    ] = None,
) -> None:
    """Check weights completely: every hash, name and shape; nothing in them is run."""
    from flows.models_table import verified

    with Console(stderr=True).status(f"reading {path}"):
        facts = verified(path, release)
    for name, value in facts.items():
        typer.echo(f"{name:>14}  {value}")


@models_app.command()
def seal(
    folder: Annotated[Path, typer.Argument(help="A folder of engine jamflow: checkpoint, vocoder, voices.")],
) -> None:
    """Write the hashes of a folder of weights into it (SHA256SUMS): from then on every change is noticed."""
    from models.weights.folders import seal as write_sums

    typer.echo(f"{write_sums(folder)}  {folder}")


@models_app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="A released F5-TTS file: .safetensors or .pt.")],
    target: Annotated[Path, typer.Argument(help="Folder of the new joint checkpoint.")],
    release: Annotated[str, typer.Option(help="Which F5-TTS it is: F5TTS_v1_Base, F5TTS_Base.")],
    space: Annotated[
        str, typer.Option("--motion-space", help="Motion space of the new branch: facemesh, or a JSON file.")
    ] = "facemesh",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the new branch's weights.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a checkpoint that is there.")] = False,
) -> None:
    """Join a released F5-TTS with a new motion branch, to be trained: it speaks as before, its mouth says nothing."""
    from flows.models_table import join

    if target.exists() and not overwrite:
        raise RequestError(f"{target} is already there: pass --overwrite or choose another folder")
    with Console(stderr=True).status(f"joining {source.name}"):
        description = join(source, target, release, space, seed)
    typer.echo(f"{target}: {description.weights_bytes / 1e6:.0f} MB, {description.licence}; {description.origin}")
    if not description.commercial_use:
        typer.echo("not for commercial use: a commercial run will refuse it")


@models_app.command()
def measure(
    corpus: Annotated[Path, typer.Argument(help="JSONL index of films (docs/training.md).")],
    out: Annotated[Path, typer.Argument(help="JSON file of the motion space: features.motion_space of a training.")],
    lips: Annotated[
        Literal["four", "six"],
        typer.Option(help="Keypoints that are the mouth: JAM-Flow's, or LivePortrait's own set."),
    ] = "four",
    films: Annotated[int, typer.Option(min=1, help="How many films are read, evenly chosen.")] = 100,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Measure LivePortrait's motion space on a corpus: the mean and deviation of each number of its expressions."""
    from models.liveportrait.space import MOUTH_ROWS, SIX_ROWS
    from tasks.train_space import measure_space
    from tasks.train_stage import counted

    if out.exists() and not overwrite:
        raise RequestError(f"{out} is already there: pass --overwrite or choose another file")
    with counted("measure", "films") as tell:
        space = measure_space(corpus, out, MOUTH_ROWS if lips == "four" else SIX_ROWS, films, tell)
    typer.echo(f"{out}: {len(space.mouth_dims)} mouth and {len(space.rest_dims)} rest numbers at {space.fps:g} fps")
