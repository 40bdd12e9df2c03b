"""Which languages the packaged voices speak so that a recogniser understands them, and espeak-ng's voice for each.

Kokoro was trained on English, Spanish, French, Italian, Portuguese and some Asian languages; of these and of 17
others those are offered whose speech whisper base understood, in at least two voices or blends, with a word error
rate of 0.25 or less (README.md of this folder).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.errors import RequestError

VOICES = ("jm_kumo", "jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro")
_ERROR_WEIGHT = 2.0


@dataclass(frozen=True)
class SpokenLanguage:
    """One target language; `word_error` is of whisper base on each of VOICES, as measured."""

    tag: str
    name: str
    espeak_voice: str
    word_error: tuple[float, float, float, float, float]


SUPPORTED = (
    SpokenLanguage("en", "English (US)", "en-us", (0.01, 0.03, 0.00, 0.00, 0.04)),
    SpokenLanguage("en-GB", "English (UK)", "gmw/en", (0.00, 0.03, 0.00, 0.00, 0.04)),
    SpokenLanguage("es", "Spanish (Spain)", "es", (0.02, 0.10, 0.04, 0.04, 0.04)),
    SpokenLanguage("es-419", "Spanish (Latin America)", "es-419", (0.02, 0.09, 0.04, 0.04, 0.04)),
    SpokenLanguage("fr", "French", "fr", (0.22, 1.00, 0.15, 0.35, 0.48)),
    SpokenLanguage("it", "Italian", "it", (0.04, 0.18, 0.10, 0.13, 0.10)),
    SpokenLanguage("pt", "Portuguese (Portugal)", "pt", (0.09, 0.49, 0.14, 0.18, 0.35)),
    SpokenLanguage("pt-BR", "Portuguese (Brazil)", "pt-br", (0.06, 0.16, 0.06, 0.08, 0.08)),
    SpokenLanguage("de", "German", "de", (0.13, 0.51, 0.45, 0.33, 0.43)),
    SpokenLanguage("id", "Indonesian", "id", (0.16, 0.71, 0.21, 0.27, 0.32)),
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

    A blend counts as the clearest of the voices that make up half of it or more, which is what the blends
    with jm_kumo came out as.

    Raises:
        RequestError: the language is not supported.
    """
    errors = dict(zip(VOICES, spoken_language(resolve_language(language)).word_error, strict=True))
    return _ERROR_WEIGHT * min(errors.get(voice, 0.0) for voice, weight in blend if weight >= 0.5)
