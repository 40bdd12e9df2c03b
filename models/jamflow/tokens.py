"""Text to token numbers as F5-TTS was trained on. Letters: b texts, nt tokens of the longest.

vocab.txt is a file of F5-TTS's repository (https://github.com/SWivid/F5-TTS, MIT licence). The rules were learned
from `convert_char_to_pinyin` there and are proved against its outputs; the code is our own.
"""

import functools
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from schemas.errors import WeightsError

PADDING = -1
UNKNOWN = 0  # the same number as the space, in training too

_REPLACED = str.maketrans({";": ",", "“": '"', "”": '"', "‘": "'", "’": "'"})
_NO_SPACE_AFTER = frozenset(" :'\"")


@dataclass(frozen=True)
class Vocabulary:
    """Tokens by number: entry i has number i, the first one is a single space."""

    entries: tuple[str, ...]

    @classmethod
    def from_file(cls, path: Path) -> "Vocabulary":
        """Read one entry a line; LF and CRLF line ends give the same vocabulary.

        Raises:
            WeightsError: the file cannot be read, is empty, is not UTF-8, has an entry twice, or lost its space.
        """
        try:
            return cls.from_bytes(path.read_bytes(), str(path))
        except OSError as error:
            raise _unusable(str(path), f"cannot be read ({error.strerror})") from error

    @classmethod
    def from_bytes(cls, content: bytes, name: str) -> "Vocabulary":
        """As `from_file`; errors call the content `name`."""
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _unusable(name, f"is not UTF-8 (byte {error.start})") from error
        # Not splitlines, which also cuts at other characters; not strip, which would empty the entry of the space.
        entries = tuple(text.replace("\r\n", "\n").removesuffix("\n").split("\n")) if text else ()
        if not entries:
            raise _unusable(name, "is empty")
        if entries[0] != " ":
            raise _unusable(name, f"starts with {entries[0][:20]!r} instead of the line of a single space")
        seen: dict[str, int] = {}
        for number, entry in enumerate(entries):
            if seen.setdefault(entry, number) != number:
                raise _unusable(name, f"has {entry[:20]!r} twice, in lines {seen[entry] + 1} and {number + 1}")
        return cls(entries)

    @functools.cached_property
    def sha256(self) -> str:
        """Of the entries with LF after each, whatever line ends the file had."""
        return hashlib.sha256("".join(f"{entry}\n" for entry in self.entries).encode()).hexdigest()

    def ids(self, tokens: Iterable[str]) -> list[int]:
        """Number the tokens; one that the vocabulary lacks gets the number of the space."""
        return [self._numbers.get(token, UNKNOWN) for token in tokens]

    @functools.cached_property
    def _numbers(self) -> dict[str, int]:
        return {entry: number for number, entry in enumerate(self.entries)}


@functools.cache
def released_vocabulary() -> Vocabulary:
    """The 2545 entries that the released weights of F5-TTS were trained with."""
    file = resources.files("models.jamflow") / "vocab.txt"
    return Vocabulary.from_bytes(file.read_bytes(), str(file))


def token_ids(texts: Sequence[str], vocabulary: Vocabulary) -> Int[Tensor, "b nt"]:
    """Number the tokens of each text, -1 after its last."""
    numbered = [vocabulary.ids(tokenize(text)) for text in texts]
    ids = torch.full((len(texts), max(map(len, numbered), default=0)), PADDING)
    for row, numbers in zip(ids, numbered, strict=True):
        row[: len(numbers)] = torch.tensor(numbers, dtype=torch.long)
    return ids


def tokenize(text: str) -> list[str]:
    """Cut a text into letters as they are, and Chinese into syllables with their tone, a space before each.

    A word of two letters or more gets a space before it where it follows on something other than a space, a colon
    or a quotation mark. The word cutter breaks words at letters like é, so "jalapeños" has a space inside. All of
    this is how the weights were trained.
    """
    import rjieba  # 0.15 s

    tokens: list[str] = []
    for word in rjieba.cut(text.translate(_REPLACED)):
        if word.isascii():
            if len(word) > 1 and tokens and tokens[-1] not in _NO_SPACE_AFTER:
                tokens.append(" ")
            tokens.extend(word)
        else:
            tokens.extend(_spelled(word))
    return tokens


def _spelled(word: str) -> list[str]:
    spelled: list[str] = []
    for letter, sound in zip(word, _sounds(word), strict=True):
        spelled.extend((" ", sound) if _is_chinese(letter) else (sound,))
    return spelled


def _sounds(word: str) -> list[str]:
    """Read a word as a whole where all its letters take three bytes, for the tones that depend on neighbours."""
    if len(word.encode()) == 3 * len(word):
        return _pinyin(word)
    return [_pinyin(letter)[0] if _is_chinese(letter) else letter for letter in word]


def _pinyin(letters: str) -> list[str]:
    from pypinyin import Style, lazy_pinyin  # 0.25 s

    # errors=list: letters without a reading stay apart; by default a row of them would become one token.
    return lazy_pinyin(letters, style=Style.TONE3, tone_sandhi=True, errors=list)  # type: ignore[arg-type]


def _is_chinese(letter: str) -> bool:
    return "\u3100" <= letter <= "\u9fff"


def _unusable(name: str, what: str) -> WeightsError:
    return WeightsError(f"the vocabulary {name} {what}: take the vocab.txt that came with the weights")
