"""Which take of a line is used: the one with the least cost by what was measured of it.

    cost = 0.6 · WER + 0.2 · min(1, timing / 0.2 s) + 0.2 · (1 - r) / 2

WER: of the recogniser on the take alone. Timing: mean of the absolute errors of onset and offset; a take in which no
speech is found has the full share. r: correlation of the lip opening that the sound suggests with the one that is
seen, where lips are kept. What is not measured counts nothing: it is the same for all takes of a line. So a cost lies
in 0 to 1, and no measure can get worse without the cost rising or staying. A word misheard in ten weighs as much as
60 ms, about as much as listeners notice of either.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.performance import TakeScore

WER_SHARE, TIMING_SHARE, MOUTH_SHARE = 0.6, 0.2, 0.2
TIMING_FULL_S = 0.2
"""185 ms is the edge of what viewers accept of a dub's start."""


@dataclass(frozen=True)
class Measured:
    """What was measured of a take. Errors are found minus asked, in seconds.

    Attributes:
        wer: 0 to 1; None where the recogniser does not know the language, or there is no text.
        has_timing: Whether a time line was asked for at all.
        onset_error_s, offset_error_s: None where no speech was found.
        mouth_r: -1 to 1; None where no mouth is to be followed.
    """

    wer: float | None = None
    has_timing: bool = False
    onset_error_s: float | None = None
    offset_error_s: float | None = None
    mouth_r: float | None = None


def cost(measured: Measured) -> float:
    """The formula above."""
    total = WER_SHARE * (measured.wer or 0.0)
    if measured.has_timing:
        total += TIMING_SHARE * _timing(measured)
    if measured.mouth_r is not None:
        total += MOUTH_SHARE * (1.0 - measured.mouth_r) / 2.0
    return total


def _timing(measured: Measured) -> float:
    if measured.onset_error_s is None or measured.offset_error_s is None:
        return 1.0
    error_s = (abs(measured.onset_error_s) + abs(measured.offset_error_s)) / 2
    return min(1.0, error_s / TIMING_FULL_S)


def score(seed: int, measured: Measured) -> TakeScore:
    """What is kept of a take: its measures and its cost, rounded as receipts print them."""
    return TakeScore(
        seed=seed,
        wer=_rounded(measured.wer),
        onset_error_s=_rounded(measured.onset_error_s),
        offset_error_s=_rounded(measured.offset_error_s),
        mouth_r=_rounded(measured.mouth_r),
        cost=round(cost(measured), 4),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)


def ranked(scores: Sequence[TakeScore]) -> tuple[TakeScore, ...]:
    """Order takes from the best to the worst; of equals the lower seed comes first."""
    return tuple(sorted(scores, key=lambda own: (own.cost, own.seed)))
