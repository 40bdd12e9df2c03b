"""What each line shall say: the user's own script, or a translation."""

from models.dialogue.match import match_script
from models.translation.translator import find_translator
from schemas.speech import Cue, Line, Script, Transcript
from tasks.stage import stage_task
from tasks.workplace import open_workplace


def check_translation(source_language: str | None, target_language: str, has_script: bool) -> None:
    """Fail before the long work where neither a script nor a translator is at hand.

    Raises: RequestError, which says how to supply a script.
    """
    if not has_script and source_language is not None:
        find_translator(source_language, target_language, open_workplace().settings.models_dir)


@stage_task("script", version=1)
def write_script(
    transcript: Transcript, cues: tuple[Cue, ...] | None, target_language: str, duration_s: float
) -> Script:
    """Give every line its target text."""
    if cues is not None:
        return match_script(transcript, cues, target_language, duration_s)
    translator = find_translator(transcript.language, target_language, open_workplace().settings.models_dir)
    texts = translator.translate([line.source_text for line in transcript.lines])
    lines = (line.model_copy(update={"target_text": text}) for line, text in zip(transcript.lines, texts, strict=True))
    return Script(language=target_language, lines=tuple(lines))


def without_texts(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Lines as times and speakers only: what depends on these is not redone when a word is edited."""
    return tuple(line.model_copy(update={"source_text": "", "target_text": None}) for line in lines)
