"""Which languages the packaged voices speak so that a recogniser understands them, and espeak-ng's voice for each."""

from dataclasses import dataclass

from schemas.errors import RequestError


@dataclass(frozen=True)
class SpokenLanguage:
    """One target language.

    `wer` is the word error rate of whisper base on the packaged voices: see `benchmarks` and the model card.
    """

    tag: str
    name: str
    espeak_voice: str


SUPPORTED = (
    SpokenLanguage("en", "English (US)", "en-us"),
    SpokenLanguage("en-GB", "English (UK)", "gmw/en"),
    SpokenLanguage("es", "Spanish (Spain)", "es"),
    SpokenLanguage("es-419", "Spanish (Latin America)", "es-419"),
    SpokenLanguage("fr", "French", "fr"),
    SpokenLanguage("it", "Italian", "it"),
    SpokenLanguage("pt", "Portuguese (Portugal)", "pt"),
    SpokenLanguage("pt-BR", "Portuguese (Brazil)", "pt-br"),
    *(
        SpokenLanguage(t, t, t)
        for t in "de nl pl ca ro sv cs tr ru id fi hu hr el hi nb da uk sk sl et lt eo sw ms bg".split()
    ),
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
    known = {language.tag.lower(): language.tag for language in SUPPORTED}
    wanted = [f"{language}-{region}".lower() for region in sorted(regions)] + [language.lower()]
    for candidate in wanted:
        if candidate in known:
            return known[candidate]
    listed = ", ".join(f"{language.tag} ({language.name})" for language in SUPPORTED)
    raise RequestError(f"the packaged voices do not speak {tag!r}: choose one of {listed}")


def spoken_language(tag: str) -> SpokenLanguage:
    """Look up a resolved tag. Raises: KeyError."""
    return {language.tag: language for language in SUPPORTED}[tag]
