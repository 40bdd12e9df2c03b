"""Find what can translate a pair of languages on this machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from models.translation.apertium import find_apertium
from models.translation.marian import MarianTranslator, marian_directory
from schemas.errors import RequestError


class Translator(Protocol):
    """Translates texts, each on its own."""

    @property
    def name(self) -> str:
        """What translates, as a receipt records it."""

    def translate(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Translate each text: as many out as in, in order."""


def find_translator(source: str, target: str, models_dir: Path | None) -> Translator:
    """Choose a Marian checkpoint in `models_dir`, else an installed Apertium pair.

    Args:
        source: BCP-47 tag of what is spoken.
        target: BCP-47 tag of the dub.
        models_dir: Folder with `opus-mt-{source}-{target}` directories.

    Raises:
        RequestError: Nothing here translates this pair; the message says what would.
    """
    directory = marian_directory(source, target, models_dir)
    if directory is not None:
        return MarianTranslator(directory)
    apertium = find_apertium(source, target)
    if apertium is not None:
        return apertium
    pair = f"opus-mt-{_primary(source)}-{_primary(target)}"
    place = f"into {models_dir}" if models_dir is not None else "into a folder named by JAMDUB_MODELS_DIR"
    raise RequestError(
        f"nothing here translates {source} to {target}: give your translation with --script FILE (SRT, WebVTT, JSON, "
        f"CSV), install the Apertium pair if there is one (apt-cache search apertium), or put a Marian checkpoint "
        f"directory {pair} {place}"
    )


def _primary(tag: str) -> str:
    return tag.split("-")[0].lower()
