"""Whole numbers from 0 to 99 in words, so that "13" and "trece" compare as the same word."""

import re
from collections.abc import Mapping

_LONE_NUMBER = re.compile(r"(?<![\d.,:/])\d{1,2}(?![\d:/%]|[.,]\d)")

_SMALL: Mapping[str, str] = {
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
    "diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis "
    "veintisiete veintiocho veintinueve",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn "
    "siebzehn achtzehn neunzehn zwanzig",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept "
    "dix-huit dix-neuf vingt",
    "it": "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
    "diciassette diciotto diciannove venti",
    "pt": "zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis dezessete "
    "dezoito dezenove vinte",
}
_TENS: Mapping[str, str] = {
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "fr": "vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt",
    "it": "venti trenta quaranta cinquanta sessanta settanta ottanta novanta",
    "pt": "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
}


def spell_numbers(text: str, language: str) -> str:
    """Write lone whole numbers to 99 in words; in languages without a table the text stays."""
    if language not in _SMALL:
        return text
    return _LONE_NUMBER.sub(lambda found: spell(int(found.group()), language), text)


def spell(number: int, language: str) -> str:
    """Write 0 to 99 in words, in one of the languages with a table."""
    small = _SMALL[language].split()
    if number < len(small):
        return small[number]
    tens, ones = _TENS[language].split()[number // 10 - 2], number % 10
    if language == "fr":
        return _french(number, tens)
    if ones == 0:
        return tens
    return {
        "es": f"{tens} y {small[ones]}",
        "pt": f"{tens} e {small[ones]}",
        "de": f"{'ein' if ones == 1 else small[ones]}und{tens}",
        "it": f"{tens[:-1] if ones in (1, 8) else tens}{'tré' if ones == 3 else small[ones]}",
    }[language]


def _french(number: int, tens: str) -> str:
    small = _SMALL["fr"].split()
    # Seventy and ninety count on from sixty and eighty: 75 is soixante-quinze.
    rest = number - {7: 60, 9: 80}.get(number // 10, number // 10 * 10)
    if number == 80:
        return "quatre-vingts"
    if rest == 0:
        return tens
    if rest in (1, 11) and number < 80:
        return f"{tens} et {small[rest]}"
    return f"{tens}-{small[rest]}"
