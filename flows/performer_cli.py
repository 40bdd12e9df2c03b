"""`jamdub speak`, `revoice`, `lipsync`, `animate`: engine `jamflow` asked for one clip."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.embedded import embedded_environment, open_home, run_embedded
from flows.options import Commercial, Overwrite, Refresh, Seed, Verbose
from flows.quiet import quiet_stderr
from flows.requests import make_request
from schemas.errors import RequestError
from schemas.performance_request import (
    AnimateRequest,
    AnyRequest,
    LipsyncRequest,
    PerformanceResult,
    RevoiceRequest,
    SpeakRequest,
)
from schemas.settings import Settings

if TYPE_CHECKING:
    from flows.performance import Checked

Check = Callable[..., "Checked"]
Perform = Callable[..., PerformanceResult]

performer_app = typer.Typer(rich_markup_mode=None)

Takes = Annotated[int, typer.Option(min=1, max=16, help="Tries, of which the best is used.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything and print the plan only.")]
Named = Annotated[str | None, typer.Option("--voice", help="Name of a packaged voice; default: the first.")]
Recording = Annotated[str | None, typer.Option(help="Recording of the voice to clone; needs --consent.")]
Said = Annotated[str | None, typer.Option(help="What the recording says; default: recognised.")]
Record = Annotated[str | None, typer.Option(help="Consent record (JSON) of the recorded person.")]


@performer_app.command()
def speak(
    text: Annotated[str | None, typer.Argument(help="What to say.")] = None,
    text_file: Annotated[Path | None, typer.Option(help="A UTF-8 file with what to say, in place of TEXT.")] = None,
    language: Annotated[str, typer.Option(help="Language of the text, a BCP-47 tag.")] = "en",
    out: Annotated[str, typer.Option(help="The .wav or .flac to write.")] = "speech.wav",
    voice: Named = None,
    reference: Recording = None,
    reference_text: Said = None,
    consent: Record = None,
    motion_out: Annotated[str | None, typer.Option(help="Write the mouth's motion here (safetensors).")] = None,
    duration: Annotated[float | None, typer.Option(min=0.1, help="Seconds to speak in; default: natural.")] = None,
    takes: Takes = 2,
    seed: Seed = 0,
    commercial: Commercial = False,
    overwrite: Overwrite = False,
    refresh: Refresh = False,
    dry_run: DryRun = False,
    verbose: Verbose = False,
) -> None:
    """Speak a text; with --motion-out, with the mouth that belongs to it."""
    request = make_request(
        SpeakRequest,
        text=_text(text, text_file),
        language=language,
        out=out,
        voice=voice,
        reference=reference,
        reference_text=reference_text,
        consent=consent,
        motion_out=motion_out,
        duration_s=duration,
        takes=takes,
        seed=seed,
        commercial=commercial,
        overwrite=overwrite,
    )
    _carry_out(request, _speak, refresh=refresh, dry_run=dry_run, verbose=verbose)


@performer_app.command()
def revoice(
    video: Annotated[str, typer.Argument(help="A video in which a face speaks; its sound is not listened to.")],
    out: Annotated[str, typer.Option(help="The video to write.")],
    voice: Named = None,
    reference: Recording = None,
    reference_text: Said = None,
    reference_language: Annotated[str, typer.Option(help="Language of the recording.")] = "en",
    consent: Record = None,
    takes: Takes = 2,
    seed: Seed = 0,
    commercial: Commercial = False,
    overwrite: Overwrite = False,
    refresh: Refresh = False,
    dry_run: DryRun = False,
    verbose: Verbose = False,
) -> None:
    """Make speech from a video's mouth alone."""
    request = make_request(
        RevoiceRequest,
        video=video,
        out=out,
        voice=voice,
        reference=reference,
        reference_text=reference_text,
        reference_language=reference_language,
        consent=consent,
        takes=takes,
        seed=seed,
        commercial=commercial,
        overwrite=overwrite,
    )
    _carry_out(request, _revoice, refresh=refresh, dry_run=dry_run, verbose=verbose)


@performer_app.command()
def lipsync(
    video: Annotated[str, typer.Argument(help="A video with a face.")],
    audio: Annotated[str, typer.Argument(help="Speech as long as the video: a recording or another video.")],
    out: Annotated[str, typer.Option(help="The video to write.")],
    seed: Seed = 0,
    commercial: Commercial = False,
    overwrite: Overwrite = False,
    refresh: Refresh = False,
    dry_run: DryRun = False,
    verbose: Verbose = False,
) -> None:
    """Give a video's face the lips that belong to a sound."""
    request = make_request(
        LipsyncRequest, video=video, audio=audio, out=out, seed=seed, commercial=commercial, overwrite=overwrite
    )
    _carry_out(request, _lipsync, refresh=refresh, dry_run=dry_run, verbose=verbose)


@performer_app.command()
def animate(
    portrait: Annotated[str, typer.Argument(help="A picture with one face.")],
    out: Annotated[str, typer.Option(help="The .mp4 to write.")],
    audio: Annotated[str | None, typer.Argument(help="Speech: a recording or a video; or give --text.")] = None,
    text: Annotated[str | None, typer.Option(help="What the portrait says, in place of AUDIO.")] = None,
    language: Annotated[str, typer.Option(help="Language of the text, a BCP-47 tag.")] = "en",
    voice: Named = None,
    reference: Recording = None,
    reference_text: Said = None,
    consent: Record = None,
    takes: Takes = 2,
    seed: Seed = 0,
    commercial: Commercial = False,
    overwrite: Overwrite = False,
    refresh: Refresh = False,
    dry_run: DryRun = False,
    verbose: Verbose = False,
) -> None:
    """Bring a portrait to speech: by a recording, or by a text in a voice."""
    request = make_request(
        AnimateRequest,
        portrait=portrait,
        audio=audio,
        text=text,
        language=language,
        out=out,
        voice=voice,
        reference=reference,
        reference_text=reference_text,
        consent=consent,
        takes=takes,
        seed=seed,
        commercial=commercial,
        overwrite=overwrite,
    )
    _carry_out(request, _animate, refresh=refresh, dry_run=dry_run, verbose=verbose)


def _text(text: str | None, file: Path | None) -> str:
    if (text is None) == (file is None):
        raise RequestError("say what to speak once: either TEXT or --text-file FILE")
    if file is None:
        return text or ""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{file} cannot be read as UTF-8 text: {error}") from error


def _carry_out(
    request: AnyRequest,
    load: Callable[[], tuple[Check, Perform]],
    *,
    refresh: bool,
    dry_run: bool,
    verbose: bool,
) -> None:
    """Check a request before Prefect's server is started, then run it; `load` imports its check and its flow."""
    settings = Settings()
    embedded_environment(settings, verbose, refresh)
    with quiet_stderr(settings.home / "logs" / "native.log") as console, console.status("checking the request"):
        from tasks.workplace import open_workplace

        check, flow = load()
        checked = check(request, open_workplace())
        open_home()
    if checked.told is not None:
        typer.echo(checked.told, err=True)
    if dry_run:
        for name, value in request.model_dump(exclude_none=True).items():
            typer.echo(f"{name:>18}  {value}")
        typer.echo("everything is there; nothing was written")
        return
    result = run_embedded(lambda: flow, request, settings, verbose)
    for warning in result.warnings:
        typer.echo(f"warning: {warning}", err=True)
    for path in (*result.files, result.receipt):
        typer.echo(path)


def _speak() -> tuple[Check, Perform]:
    from flows.speak_text import check_speak, speak_text

    return check_speak, speak_text


def _revoice() -> tuple[Check, Perform]:
    from flows.revoice import check_revoice, revoice_video

    return check_revoice, revoice_video


def _lipsync() -> tuple[Check, Perform]:
    from flows.lipsync import check_lipsync, lipsync_video

    return check_lipsync, lipsync_video


def _animate() -> tuple[Check, Perform]:
    from flows.animate import animate_portrait, check_animate

    return check_animate, animate_portrait
