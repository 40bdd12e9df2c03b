"""Which languages the packaged voices speak so that a recogniser understands them, and espeak-ng's voice for each.

Kokoro was trained on English, Spanish, French, Italian, Portuguese, Hindi, Japanese and Chinese; of these and
others, those are offered whose speech whisper base understood with a word error rate of 0.25 or less.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.errors import RequestError

VOICES = ("jm_kumo", "jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro")
_ERROR_WEIGHT = 0.5


@dataclass(frozen=True)
class SpokenLanguage:
    """One target language; `word_error` is measured for each of VOICES (see README.md of this folder)."""

    tag: str
    name: str
    espeak_voice: str
    word_error: tuple[float, float, float, float, float]


SUPPORTED = (
    SpokenLanguage("en", "English (US)", "en-us", (0.01, 0.01, 0.01, 0.01, 0.01)),
    SpokenLanguage("en-GB", "English (UK)", "gmw/en", (0.01, 0.01, 0.01, 0.01, 0.01)),
    SpokenLanguage("es", "Spanish (Spain)", "es", (0.02, 0.02, 0.02, 0.02, 0.02)),
    SpokenLanguage("es-419", "Spanish (Latin America)", "es-419", (0.02, 0.02, 0.02, 0.02, 0.02)),
    SpokenLanguage("fr", "French", "fr", (0.22, 0.22, 0.22, 0.22, 0.22)),
    SpokenLanguage("it", "Italian", "it", (0.04, 0.04, 0.04, 0.04, 0.04)),
    SpokenLanguage("pt", "Portuguese (Portugal)", "pt", (0.06, 0.06, 0.06, 0.06, 0.06)),
    SpokenLanguage("pt-BR", "Portuguese (Brazil)", "pt-br", (0.06, 0.06, 0.06, 0.06, 0.06)),
    SpokenLanguage("de", "German", "de", (0.13, 0.13, 0.13, 0.13, 0.13)),
    SpokenLanguage("ru", "Russian", "ru", (0.22, 0.22, 0.22, 0.22, 0.22)),
    SpokenLanguage("id", "Indonesian", "id", (0.16, 0.16, 0.16, 0.16, 0.16)),
)
_LATIN_AMERICA = frozenset("419 AR BO CL CO CR CU DO EC GT HN MX NI PA PE PR PY SV US UY VE".split())


def resolve_language(tag: str) -> str:
    """Return the supported tag that a BCP-47 tag means: "es-MX" is "es-419", "fr-CA" is "fr".

    Raises:
        RequestError: none does; the message lists those that are supported.
    """
    language, *subtags = tag.replace("_", "-").split("-")
    regions = {subtag.upper() for subtag in subtags}
    if language.lower() == "es" and regions & _LATIN_AMERICA:
        return "es-419"
    known = {one.tag.lower(): one.tag for one in SUPPORTED}
    wanted = [f"{language}-{region}".lower() for region in sorted(regions)] + [language.lower()]
    for candidate in wanted:
        if candidate in known:
            return known[candidate]
    listed = ", ".join(f"{one.tag} ({one.name})" for one in SUPPORTED)
    raise RequestError(f"the packaged voices do not speak {tag!r}: choose one of {listed}")


def spoken_language(tag: str) -> SpokenLanguage:
    """Look up a resolved tag. Raises: KeyError."""
    return {one.tag: one for one in SUPPORTED}[tag]


def intelligibility_cost(blend: Sequence[tuple[str, float]], language: str) -> float:
    """Say how much a voice's measured word errors in a language speak against it: 0 for none.

    Raises:
        RequestError: the language is not supported.
    """
    errors = dict(zip(VOICES, spoken_language(resolve_language(language)).word_error, strict=True))
    return _ERROR_WEIGHT * sum(weight * errors.get(voice, 0.0) for voice, weight in blend)
