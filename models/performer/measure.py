"""What is measured of a take before one is chosen. Letters: n samples at 24 kHz."""

from collections.abc import Callable, Sequence

import numpy as np

from media.activity import speech_offset_s, speech_onset_s
from models.audio_to_mouth.predict import predict_mouth
from models.corpus.phones import PAUSE, QUESTION, TimedPhone
from models.evaluation.words import word_error_rate
from models.facemesh.measure import aperture_agreement
from models.facemesh.space import APERTURE, space
from models.jamflow.config import SAMPLE_RATE_HZ
from models.motion import Motion
from models.performer.face import SEEN, cut
from models.performer.rank import Measured
from schemas.media import TimeSpan

Hear = Callable[[np.ndarray], str]
"""A recogniser: what is said in mono [n] at 24 kHz."""


def measure_line(
    samples: np.ndarray,
    phones: Sequence[TimedPhone],
    *,
    text: str,
    language: str,
    hear: Hear | None,
    followed: Motion | None,
) -> Measured:
    """Measure a spoken take against what was asked of it.

    Args:
        samples: [n] of the take.
        phones: When each phone was to be said.
        text: What was to be said.
        language: Of the text.
        hear: None where no recogniser knows the language.
        followed: The mouth that the take was to follow; None where it followed none.
    """
    heard = TimeSpan(start_s=0.0, end_s=max(len(samples) / SAMPLE_RATE_HZ, 1e-3))
    onset_s, offset_s = (find(samples, SAMPLE_RATE_HZ, heard) for find in (speech_onset_s, speech_offset_s))
    asked_onset_s, asked_offset_s = spoken_s(phones)
    return Measured(
        wer=None if hear is None else word_error_rate(text, hear(samples), language),
        has_timing=True,
        onset_error_s=None if onset_s is None else onset_s - asked_onset_s,
        offset_error_s=None if offset_s is None else offset_s - asked_offset_s,
        mouth_r=None if followed is None else mouth_agreement(samples, followed),
    )


def spoken_s(phones: Sequence[TimedPhone]) -> tuple[float, float]:
    """When the first phone that sounds begins and the last one ends; the whole, where none sounds."""
    sounding = [own for own in phones if own.phone not in (PAUSE, QUESTION)] or list(phones)
    return sounding[0].start_s, sounding[-1].end_s


def mouth_agreement(samples: np.ndarray, followed: Motion) -> float | None:
    """Correlate the opening that the sound suggests with the one seen, where it is seen; 0 where either is constant.

    None in another space than the face mesh's: nothing says there what a sound suggests.
    """
    if followed.space.name != space().name:
        return None
    suggested = predict_mouth(samples, SAMPLE_RATE_HZ).mouth[:, APERTURE]
    given = cut(followed, 0, len(suggested))
    seen = given.visible > SEEN
    r, _ = aperture_agreement(given.mouth[seen, APERTURE], suggested[seen])
    return float(np.clip(r, -1.0, 1.0)) if np.isfinite(r) else 0.0
