"""Options that several commands have, each described once."""

from typing import Annotated, Literal

import typer

SourceLanguage = Annotated[str | None, typer.Option("--from", help="Language spoken; default: detected.")]
Lips = Annotated[Literal["keep", "reanimate"], typer.Option(help="Keep the picture or re-animate the lips.")]
Speakers = Annotated[int | None, typer.Option(min=1, max=20, help="How many speak; default: detected.")]
Engine = Annotated[Literal["cascade", "jamflow"], typer.Option(help="What speaks the lines.")]
LineTakes = Annotated[int, typer.Option(min=1, max=16, help="jamflow: tries of each line; the best is used.")]
VoiceOf = Annotated[
    Literal["own", "packaged"] | None,
    typer.Option(help="jamflow: the actor's own voice, or a packaged one; default: own where consent is given."),
]
Loudness = Annotated[Literal["stream-16", "ebu-23"], typer.Option(help="Loudness profile.")]
AudioTrack = Annotated[int | None, typer.Option(min=0, help="Which audio track; default: the default one.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
Commercial = Annotated[bool, typer.Option(help="Refuse weights that forbid commercial use.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that are there.")]
Refresh = Annotated[bool, typer.Option("--refresh", help="Compute everything anew, ignoring the cache.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show logs and tracebacks.")]
