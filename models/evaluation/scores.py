"""All measures of one generated clip against its recording; definitions in each measure's own module."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from models.audio_to_mouth.predict import predict_mouth
from models.corpus.phones import TimedPhone
from models.evaluation.boundaries import boundary_errors_ms
from models.evaluation.closures import MouthTrack, closed_threshold, score_closures
from models.evaluation.lips import match_lips
from models.evaluation.naturalness import dnsmos
from models.evaluation.voice import voice_similarity
from models.evaluation.warping import timing
from models.grid_words.grammar import WORDS
from models.grid_words.words import locate, recognise, word_accuracy
from models.jamflow.config import SAMPLE_RATE_HZ
from schemas.errors import MediaError, RequestError
from schemas.evaluation import Unit
from schemas.media import TimeSpan

_LIPS_TOGETHER = frozenset("pbm")

MEASURES: Mapping[str, tuple[str, Unit]] = MappingProxyType(
    {
        "word_accuracy": ("words right", "share"),
        "wer": ("word error rate", "share"),
        "boundary_median": ("word edges, median error", "ms"),
        "boundary_p95": ("word edges, 95th percentile", "ms"),
        "deviation": ("warping deviation", "ms"),
        "jitter": ("warping jitter", "ms"),
        "within_80": ("within 80 ms", "share"),
        "voice": ("voice similarity", "cosine"),
        "dnsmos": ("DNSMOS OVRL", "1 to 5"),
        "aperture_r": ("lip aperture, correlation", "r"),
        "width_r": ("lip width, correlation", "r"),
        "mouth_mae": ("mouth vector, mean error", "z"),
        "sync_r": ("lips and speech of the row, correlation", "r"),
        "closures": ("lips closed on p b m", "share"),
    }
)
"""By name: what a person calls it, and its unit."""


@dataclass(frozen=True)
class Truth:
    """A recording, and what is known of it.

    Attributes:
        samples: Mono [n] at 24 kHz.
        words: Its words and their spans; empty where unknown.
        phones: On the clip's clock.
        mouth, visible: [m, mouth] z-scored and [m], at 25 fps; m = 0 without a face.
    """

    samples: np.ndarray
    text: str
    words: Sequence[tuple[str, TimeSpan]]
    phones: Sequence[TimedPhone]
    mouth: np.ndarray
    visible: np.ndarray

    @property
    def is_grid(self) -> bool:
        """Whether it is a sentence of GRID's grammar, which general recognisers do not know."""
        return len(self.words) == 6 and all(word in WORDS for word, _ in self.words)


def score_sound(
    samples: np.ndarray, truth: Truth, *, encoder: Path, word_error_rate: Callable[[np.ndarray, str], float]
) -> dict[str, float]:
    """Measure generated speech, mono [n] at 24 kHz, that lasts as long as the recording; silence has no measures.

    Args:
        encoder: The packaged speaker encoder.
        word_error_rate: Of samples against a text, for what is not GRID.
    """
    values: dict[str, float] = {}
    try:
        warped = timing(samples, SAMPLE_RATE_HZ, truth.samples, SAMPLE_RATE_HZ)
        values |= {"deviation": warped.deviation_ms, "jitter": warped.jitter_ms, "within_80": warped.within_80}
        values["voice"] = voice_similarity(samples, SAMPLE_RATE_HZ, truth.samples, SAMPLE_RATE_HZ, encoder=encoder)
        values["dnsmos"] = dnsmos(samples, SAMPLE_RATE_HZ).ovrl
    except MediaError:
        return {"word_accuracy": 0.0} if truth.is_grid else {"wer": 1.0}
    if truth.is_grid:
        return values | _grid(samples, truth)
    return values | {"wer": min(1.0, word_error_rate(samples, truth.text))}


def _grid(samples: np.ndarray, truth: Truth) -> dict[str, float]:
    said = [word for word, _ in truth.words]
    heard = [word.text for word in recognise(samples, SAMPLE_RATE_HZ).words]
    errors_ms = boundary_errors_ms(locate(samples, SAMPLE_RATE_HZ, said), [span for _, span in truth.words])
    size_ms = np.abs(errors_ms)
    return {
        "word_accuracy": word_accuracy(heard, said),
        "boundary_median": float(np.median(size_ms)),
        "boundary_p95": float(np.percentile(size_ms, 95)),
    }


def score_sync(samples: np.ndarray, mouth: np.ndarray, visible: np.ndarray) -> dict[str, float]:
    """Measure how a mouth [m, mouth], z-scored, fits speech, mono [n] at 24 kHz, whatever either was to be.

    The correlation of its aperture with that which the convolutional baseline expects of the speech. It knows the
    speaker of GRID alone (recordings: 0.92); of others it says little.
    """
    expected = predict_mouth(samples, SAMPLE_RATE_HZ).z_scored()[0]
    frames = min(len(mouth), len(expected))
    return {"sync_r": match_lips(mouth[:frames], expected[:frames], visible[:frames].astype(bool))[0].r}


def score_mouth(mouth: np.ndarray, truth: Truth) -> dict[str, float]:
    """Measure a generated mouth [m, mouth], z-scored, against the recorded one."""
    frames = min(len(mouth), len(truth.mouth))
    made, true, visible = mouth[:frames], truth.mouth[:frames], truth.visible[:frames].astype(bool)
    matches = match_lips(made, true, visible)
    values = {
        "aperture_r": matches[0].r,
        "width_r": matches[1].r,
        "mouth_mae": float(np.mean([match.mean_absolute_error for match in matches])),
    }
    closures = [TimeSpan(start_s=own.start_s, end_s=own.end_s) for own in truth.phones if own.phone in _LIPS_TOGETHER]
    track = MouthTrack(made[:, 0], visible.astype(np.float32), closed_threshold(true[:, 0], visible))
    try:
        return values | {"closures": score_closures(closures, track).hit_rate}
    except RequestError:  # no closure of this sentence can be seen
        return values
