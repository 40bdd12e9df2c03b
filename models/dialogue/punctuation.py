"""What a word's punctuation says about the sentence, in the scripts that Whisper writes."""

_FINAL = tuple(".!?…。！？؟।")
_INNER = tuple(",;:、，；：،—–")
_CLOSERS = "\"'”’»)]」』"


def ends_sentence(text: str) -> bool:
    """Whether a sentence ends after this word."""
    return text.rstrip(_CLOSERS).endswith(_FINAL)


def ends_clause(text: str) -> bool:
    """Whether a comma, a colon or the like follows this word."""
    return text.rstrip(_CLOSERS).endswith(_INNER)
