"""Apertium, a rule-based translator, where it is installed."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from media.programs import run
from schemas.errors import ToolError

_TIMEOUT_S = 300.0
_UNKNOWN_MARK = re.compile(r"(?<!\S)([(\[{¿¡\"'«“]*)[*@#](?=\w)")

# ISO 639-1 to the 639-3 codes that Apertium's pairs are named by.
_THREE_LETTERS = {
    "af": "afr", "an": "arg", "ar": "ara", "be": "bel", "bg": "bul", "br": "bre", "bs": "hbs_BS",
    "ca": "cat", "cy": "cym", "da": "dan", "de": "deu", "en": "eng", "eo": "epo", "es": "spa", "eu": "eus",
    "fr": "fra", "gl": "glg", "hi": "hin", "hr": "hbs_HR", "id": "ind", "is": "isl", "it": "ita", "kk": "kaz",
    "mk": "mkd", "ms": "msa", "mt": "mlt", "nb": "nob", "nl": "nld", "nn": "nno", "no": "nob", "oc": "oci",
    "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "sc": "srd", "se": "sme", "sk": "slk", "sl": "slv",
    "sr": "hbs_SR", "sv": "swe", "tr": "tur", "tt": "tat", "uk": "ukr", "ur": "urd",
}  # fmt: skip


def find_apertium(source: str, target: str) -> "ApertiumTranslator | None":
    """The installed Apertium pair for two BCP-47 tags, or None."""
    program = shutil.which("apertium")
    if program is None:
        return None
    modes = set(_run([program, "-l"], "").split())
    for from_code in _codes(source):
        for to_code in _codes(target):
            mode = f"{from_code}-{to_code}"
            if mode in modes:
                return ApertiumTranslator(Path(program), mode)
    return None


def _codes(tag: str) -> tuple[str, ...]:
    """How a language may be called in a mode's name, the most exact first: pt-BR is por_BR, por, pt_BR, pt."""
    primary, *rest = tag.split("-")
    names = [name for name in (_THREE_LETTERS.get(primary.lower()), primary.lower()) if name]
    regions = [part.upper() for part in rest if len(part) == 2]
    return tuple(f"{name}_{region}" for name in names for region in regions) + tuple(names)


class ApertiumTranslator:
    """One installed Apertium mode, such as eng-spa."""

    def __init__(self, program: Path, mode: str) -> None:
        self._program = program
        self._mode = mode

    @property
    def name(self) -> str:
        return f"apertium {self._mode}"

    def translate(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Translate each text as one line; words that Apertium does not know stay as they are, unmarked.

        Raises:
            ToolError: Apertium failed, ran out of time, or lost a line.
        """
        if not texts:
            return ()
        flat = [" ".join(text.split()) for text in texts]
        # A blank line between keeps the rules from reaching over from one text into the next.
        out = _run([str(self._program), "-u", self._mode], "\n\n".join(flat) + "\n")
        lines = out.split("\n")[: 2 * len(flat) : 2]
        if len(lines) != len(flat) or len(out.rstrip("\n").split("\n")) > 2 * len(flat):
            raise ToolError(f"apertium {self._mode} gave {len(lines)} lines for {len(flat)} texts: check the pair")
        return tuple(_UNKNOWN_MARK.sub(r"\1", line).strip() for line in lines)


def _run(command: Sequence[str], text: str) -> str:
    return run(Path(command[0]), command[1:], timeout_s=_TIMEOUT_S, stdin=text.encode()).decode(errors="replace")
