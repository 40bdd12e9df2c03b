"""Word error rate of what is heard against what was asked.

Source: the normalisation is that of Radford et al. 2022 (Whisper), appendix C.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from models.dialogue.utterances import join_words
from models.evaluation.numbers import spell_numbers
from schemas.speech import Line, Word

if TYPE_CHECKING:
    from transformers.models.whisper.english_normalizer import BasicTextNormalizer, EnglishTextNormalizer

_WITHOUT_SPACES = frozenset({"zh", "ja", "th", "lo", "my", "km", "yue", "bo"})


def normalise(text: str, language: str) -> str:
    """Bring a text into the form in which words are compared.

    English: contractions expanded, numbers to digits, fillers out. Other languages: lower case, no
    punctuation, whole numbers to 99 in words where we know them; without spaces between words, each
    character counts as a word.
    """
    code = language.split("-")[0].lower()
    if code == "en":
        return " ".join(_english()(text).split())
    plain = _basic(code in _WITHOUT_SPACES)(spell_numbers(text, code))
    return " ".join(plain.split())


def word_error_rate(reference: str, hypothesis: str, language: str) -> float:
    """Substituted, deleted and inserted words over the reference's words, at most 1.

    An empty reference scores 0 where nothing was heard either, else 1.
    """
    errors, words = _errors_and_words(reference, hypothesis, language)
    return _capped(errors, words)


def pooled_word_error_rate(pairs: Sequence[tuple[str, str]], language: str) -> float | None:
    """The errors of all (reference, hypothesis) pairs over all reference words, at most 1; None without pairs."""
    if not pairs:
        return None
    counts = [_errors_and_words(reference, hypothesis, language) for reference, hypothesis in pairs]
    return _capped(sum(errors for errors, _ in counts), sum(words for _, words in counts))


def assign_heard(words: Sequence[Word], lines: Sequence[Line]) -> dict[str, str]:
    """Share recognised words out among lines by time: what was heard in each line, by its id.

    A word belongs to the line it overlaps most, else to the nearest; every line has an entry.
    """
    heard: dict[str, list[str]] = {line.id: [] for line in lines}
    for word in words if lines else ():
        heard[min(lines, key=lambda line: _remoteness(line, word)).id].append(word.text)
    return {line_id: join_words(texts) for line_id, texts in heard.items()}


def _remoteness(line: Line, word: Word) -> tuple[float, float]:
    apart_s = max(0.0, line.span.start_s - word.span.end_s, word.span.start_s - line.span.end_s)
    return -line.span.overlap_s(word.span), apart_s


def _capped(errors: int, words: int) -> float:
    if words == 0:
        return 1.0 if errors else 0.0
    return min(1.0, errors / words)


def _errors_and_words(reference: str, hypothesis: str, language: str) -> tuple[int, int]:
    asked, heard = normalise(reference, language), normalise(hypothesis, language)
    if not asked or not heard:
        return max(len(asked.split()), len(heard.split())), len(asked.split())
    import jiwer

    found = jiwer.process_words(asked, heard)
    return found.substitutions + found.deletions + found.insertions, len(asked.split())


@lru_cache(maxsize=1)
def _english() -> "EnglishTextNormalizer":
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    # The table of British spellings comes with checkpoints only; without it "colour" is not "color".
    return EnglishTextNormalizer({})


@lru_cache(maxsize=2)
def _basic(split_letters: bool) -> "BasicTextNormalizer":
    from transformers.models.whisper.english_normalizer import BasicTextNormalizer

    return BasicTextNormalizer(split_letters=split_letters)
