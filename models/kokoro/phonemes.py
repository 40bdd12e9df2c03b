"""Text to the phoneme letters that Kokoro was trained on: espeak-ng's IPA, rewritten as misaki writes it.

Punctuation is kept, since the model takes its prosody and pauses from it.
Source: the letter tables of misaki (github.com/hexgrad/misaki, Apache-2.0), EspeakG2P and EspeakFallback.
"""

import re
import unicodedata

from models.kokoro.espeak import ipa
from models.kokoro.languages import resolve_language, spoken_language

_SAME_IN_ALL = (
    ("a^ɪ", "I"),
    ("a^ʊ", "W"),
    ("d^z", "ʣ"),
    ("d^ʑ", "ʥ"),
    ("d^ʒ", "ʤ"),
    ("e^ɪ", "A"),
    ("o^ʊ", "O"),
    ("ə^ʊ", "Q"),
    ("t^s", "ʦ"),
    ("t^ɕ", "ʨ"),
    ("t^ʃ", "ʧ"),
    ("ɔ^ɪ", "Y"),
)
_ENGLISH = (
    ("ə^l", "ᵊl"),
    ("ʔn", "tn"),
    ("ʔ", "t"),
    ("n̩", "ᵊn"),
    ("l̩", "ᵊl"),
    ("ɚ", "əɹ"),
    ("r", "ɹ"),
    ("x", "k"),
    ("ç", "k"),
    ("ɐ", "ə"),
)
_AMERICAN = (("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ː", ""))
_BRITISH = (("e^ə", "ɛː"), ("iə", "ɪə"))
# Letters that Kokoro's vocabulary lacks, by the nearest that it has.
_NEAREST = str.maketrans(
    {"ʏ": "y", "ʉ": "u", "ɵ": "ø", "ɫ": "l", "ɬ": "l", "ɭ": "l", "ʀ": "ʁ", "ɱ": "m", "ħ": "h", "g": "ɡ"}
)
_TIES = re.compile(r"[\^-]")
_LANGUAGE_FLAG = re.compile(r"\([\^a-z0-9-]+\)")  # espeak marks a foreign word: (en)wiːkˈɛnd(fr)

_ABBREVIATION = r"(?<!\b[A-ZÀ-Þ])" + "".join(
    rf"(?<!\b{word})"
    for word in ("Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Sr", "Sra", "Dra", "Srta", "Sig", "bzw", "ca")
)
_MARK = re.compile(
    rf"(?:\.\.\.|…|{_ABBREVIATION}\.|[!?]+)+(?=[\s\"'”»)\]]|$)|[,;:](?=[\s\"'”»)\]]|$)|\s[-–—]\s|[—–()\[\]]|\n+"
)
_SILENT = re.compile(r"[\"“”„«»¿¡*_#|<>{}]")


def phonemes(text: str, language: str) -> str:
    """Spell a text in Kokoro's phoneme letters, punctuation kept; "" where nothing in it can be said.

    Args:
        language: A BCP-47 tag.

    Raises:
        RequestError: the language is not supported.
    """
    return " ".join(spelled_clauses(text, language))


def spelled_clauses(text: str, language: str) -> tuple[str, ...]:
    """Spell each clause of a text, its mark at its end. Raises: RequestError, as `phonemes`."""
    tag = resolve_language(language)
    spelled = []
    for words, mark in clauses(text):
        sounds = _letters(ipa(words, spoken_language(tag).espeak_voice), tag)
        if sounds:
            spelled.append(sounds + (mark or "."))
    return tuple(spelled)


def clauses(text: str) -> list[tuple[str, str]]:
    """Cut a text after its punctuation: (words, mark) pairs, the mark one of `.,;:!?…—` or ""."""
    parts: list[tuple[str, str]] = []
    start = 0
    for found in _MARK.finditer(text):
        parts.append((text[start : found.start()], _mark(found.group())))
        start = found.end()
    parts.append((text[start:], ""))
    cleaned = ((" ".join(_SILENT.sub(" ", words).split()), mark) for words, mark in parts)
    return [(words, mark) for words, mark in cleaned if any(letter.isalnum() for letter in words)]


def _mark(punctuation: str) -> str:
    """Reduce what was written to the one mark of Kokoro's vocabulary that means it."""
    written = punctuation.strip()
    if not written:
        return "."
    if written in ("...", "…"):
        return "…"
    for mark in "?!.;:":
        if mark in written:
            return mark
    return "—" if written in ("-", "–", "—") else ","


def _letters(spelled: str, tag: str) -> str:
    text = _LANGUAGE_FLAG.sub("", spelled)
    for old, new in (*_SAME_IN_ALL, *_own_letters(tag)):
        text = text.replace(old, new)
    text = _TIES.sub("", text).translate(_NEAREST)
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _own_letters(tag: str) -> tuple[tuple[str, str], ...]:
    if tag == "en-GB":
        return (*_BRITISH, *_ENGLISH)
    return (*_ENGLISH, *_AMERICAN) if tag == "en" else ()
