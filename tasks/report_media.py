"""What the report plays and plots: clips, envelopes and lip apertures of every line."""

import json

import numpy as np

from media.audio_io import encode_audio_clip, to_mono
from media.report import LineMedia
from schemas.media import TimeSpan
from schemas.stages import Products, SpokenLine
from tasks.mix import cut
from tasks.workplace import Workplace

MARGIN_S = 0.3
ENVELOPE_RATE_HZ = 100


def line_media(place: Workplace, made: Products) -> list[LineMedia]:
    """Cut each line, with a little around it, from the original sound and from the dub."""
    dialogue, rate_hz = place.samples(made.stems.dialogue)
    background, _ = place.samples(made.stems.background)
    dub, _ = place.samples(made.sound.audio)
    original = to_mono(dialogue + background)
    curves = json.loads(place.store.get_bytes(made.checks.curves)) if made.checks.curves else {}
    return [_one(place, item, original, to_mono(dub), rate_hz, curves.get(item.line.id)) for item in made.spoken]


def _one(
    place: Workplace,
    item: SpokenLine,
    original: np.ndarray,
    dub: np.ndarray,
    rate_hz: int,
    curves: dict[str, list[float | None]] | None,
) -> LineMedia:
    heard_s = item.take.duration_s if item.take is not None else 0.0
    end_s = max(item.line.span.end_s, item.line.span.start_s + heard_s) + MARGIN_S
    span = TimeSpan(start_s=max(0.0, item.line.span.start_s - MARGIN_S), end_s=end_s)
    before, after = cut(original, span, rate_hz), cut(dub, span, rate_hz)
    return LineMedia(
        id=item.line.id,
        source_clip=encode_audio_clip(before, rate_hz, place.tools),
        dub_clip=encode_audio_clip(after, rate_hz, place.tools),
        clip_media_type="audio/mp4",
        source_envelope=_envelope(before, rate_hz),
        dub_envelope=_envelope(after, rate_hz),
        source_aperture=_curve(curves, "source"),
        asked_aperture=_curve(curves, "asked"),
        detected_aperture=_curve(curves, "detected"),
        aperture_times_s=_curve(curves, "times_s"),
    )


def _envelope(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """Peak of each hundredth of a second."""
    hop = rate_hz // ENVELOPE_RATE_HZ
    return np.abs(samples[: len(samples) // hop * hop].reshape(-1, hop)).max(axis=1, initial=0.0)


def _curve(curves: dict[str, list[float | None]] | None, name: str) -> np.ndarray | None:
    return None if curves is None else np.array([np.nan if value is None else value for value in curves[name]])
