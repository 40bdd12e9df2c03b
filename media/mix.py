"""Put the dubbed lines over music and effects, each as loud as the voice it replaces.

Letters: n samples of the whole sound, c its channels, m samples of one line.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import sosfilt

from media.channels import channel_names, voice_channels
from media.loudness import k_weighting
from schemas.media import TimeSpan

LINE_FADE_S = 0.008
CUT_FADE_S = 0.04  # a line that the end of the sound cuts off must not end in a click
MAX_LINE_DEVIATION_DB = 12.0
MAX_COMMON_GAIN_DB = 30.0
FRAME_S = 0.02
SILENCE_DB = -70.0
SPEECH_GATE_DB = -10.0


@dataclass(frozen=True)
class PlacedLine:
    """One dubbed line and where it starts.

    Attributes:
        start_s: On the source's time line.
        samples: [m], mono, at the mix's rate.
        reference: The original dialogue of that span, whose level the line shall have; None where there is none.
            [k], as loud as one channel that it is placed into; or [k, c], the original channels themselves.
    """

    start_s: float
    samples: np.ndarray
    reference: np.ndarray | None


@dataclass(frozen=True)
class MixResult:
    """The mix, whose samples are exactly background + dialogue.

    Attributes:
        mix: [n, c] float32.
        dialogue: [n, c] float32.
        line_gains_db: Of each line, in order.
        line_cuts_s: Seconds of each line that lie beyond the end of the sound and were cut.
    """

    mix: np.ndarray
    dialogue: np.ndarray
    line_gains_db: tuple[float, ...]
    line_cuts_s: tuple[float, ...]


def mix_lines(
    background: np.ndarray,
    lines: Sequence[PlacedLine],
    sample_rate_hz: int,
    channel_layout: str,
    *,
    kept: Sequence[TimeSpan] = (),
    original_dialogue: np.ndarray | None = None,
) -> MixResult:
    """Add the lines to the background [n, c]; its length stays.

    A line goes into the centre where the layout has one, else unchanged into left and right: an original voice in
    the phantom centre lies in both with the same samples too, so both are 0 dB and their powers compare as they are.

    Args:
        kept: Spans where the original voice stays; they are faded outside, so that they are whole.
        original_dialogue: [n, c], the voice that stays there.

    Raises: ValueError, where shapes do not fit.
    """
    _check_shapes(background, lines, kept, original_dialogue)
    length, channels = background.shape
    voice_into = list(voice_channels(channels, channel_layout))
    gains_db = line_gains_db(lines, sample_rate_hz, channel_layout)
    dialogue = np.zeros((length, channels), np.float32)
    cuts_s = []
    for line, gain_db in zip(lines, gains_db, strict=True):
        start = round(line.start_s * sample_rate_hz)
        fitting = _fitting(line.samples, max(0, length - start), sample_rate_hz)
        dialogue[start : start + len(fitting), voice_into] += (fitting * 10 ** (gain_db / 20))[:, None]
        cuts_s.append((len(line.samples) - len(fitting)) / sample_rate_hz)
    if original_dialogue is not None:
        dialogue += original_dialogue * _kept_gain(kept, length, sample_rate_hz)[:, None]
    mix = background.astype(np.float32) + dialogue
    return MixResult(mix, dialogue, tuple(gains_db), tuple(cuts_s))


def line_gains_db(lines: Sequence[PlacedLine], sample_rate_hz: int, channel_layout: str) -> list[float]:
    """Return the gain that gives each line the level of its reference.

    A line without a measurable reference gets the median gain; none strays from the median by more than 12 dB,
    so that a reference that holds hardly any voice cannot make a line shout or whisper.
    """
    wanted = [_wanted_gain_db(line, sample_rate_hz, channel_layout) for line in lines]
    measured = [gain_db for gain_db in wanted if gain_db is not None]
    common = float(np.clip(np.median(measured), -MAX_COMMON_GAIN_DB, MAX_COMMON_GAIN_DB)) if measured else 0.0
    low, high = common - MAX_LINE_DEVIATION_DB, common + MAX_LINE_DEVIATION_DB
    return [float(np.clip(common if gain_db is None else gain_db, low, high)) for gain_db in wanted]


def speech_level_db(samples: np.ndarray, sample_rate_hz: int) -> float | None:
    """Measure how loud speech [n] is while it lasts, K-weighted dB re full scale; None: there is none.

    Silence and pauses do not count: frames of 20 ms below -70 dB, and those 10 dB below the mean of the others.
    """
    frame = max(1, round(FRAME_S * sample_rate_hz))
    whole = len(samples) // frame * frame
    if not whole:
        return None
    weighted = sosfilt(k_weighting(sample_rate_hz), samples)
    powers = np.mean(weighted[:whole].reshape(-1, frame) ** 2, axis=1)
    audible = powers[powers > 10 ** (SILENCE_DB / 10)]
    if not audible.size:
        return None
    speech = audible[audible >= audible.mean() * 10 ** (SPEECH_GATE_DB / 10)]
    return float(10 * np.log10(speech.mean()))


def _wanted_gain_db(line: PlacedLine, sample_rate_hz: int, layout: str) -> float | None:
    spoken_db = speech_level_db(line.samples, sample_rate_hz)
    if line.reference is None or spoken_db is None:
        return None
    reference_db = _reference_level_db(line.reference, sample_rate_hz, layout)
    return None if reference_db is None else reference_db - spoken_db


def _reference_level_db(reference: np.ndarray, sample_rate_hz: int, layout: str) -> float | None:
    """Measure a reference; several channels by their powers, shared among those that the line goes into."""
    if reference.ndim == 1:
        return speech_level_db(reference, sample_rate_hz)
    channels = reference.shape[1]
    heard = [index for index, name in enumerate(channel_names(channels, layout)) if name != "LFE"]
    levels_db = [speech_level_db(reference[:, index], sample_rate_hz) for index in heard]
    powers = [10 ** (level_db / 10) for level_db in levels_db if level_db is not None]
    return float(10 * np.log10(sum(powers) / len(voice_channels(channels, layout)))) if powers else None


def _fitting(samples: np.ndarray, room: int, sample_rate_hz: int) -> np.ndarray:
    """Return the part of a line that fits into `room` samples, faded in and out."""
    fitting = np.array(samples[:room], np.float32)
    fade_out_s = CUT_FADE_S if len(samples) > room else LINE_FADE_S
    rise, fall = (min(round(fade_s * sample_rate_hz), len(fitting) // 2) for fade_s in (LINE_FADE_S, fade_out_s))
    fitting[:rise] *= _fade_in(rise)
    fitting[len(fitting) - fall :] *= _fade_in(fall)[::-1]
    return fitting


def _fade_in(length: int) -> np.ndarray:
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / max(1, length))).astype(np.float32)


def _kept_gain(kept: Sequence[TimeSpan], length: int, sample_rate_hz: int) -> np.ndarray:
    gain = np.zeros(length, np.float32)
    fade = round(LINE_FADE_S * sample_rate_hz)
    ramp = _fade_in(fade)
    for span in kept:
        start, end = (min(length, round(time_s * sample_rate_hz)) for time_s in (span.start_s, span.end_s))
        gain[start:end] = 1
        before, after = min(fade, start), min(fade, length - end)
        np.maximum(gain[start - before : start], ramp[fade - before :], out=gain[start - before : start])
        np.maximum(gain[end : end + after], ramp[::-1][:after], out=gain[end : end + after])
    return gain


def _check_shapes(
    background: np.ndarray, lines: Sequence[PlacedLine], kept: Sequence[TimeSpan], original: np.ndarray | None
) -> None:
    if background.ndim != 2:
        raise ValueError(f"the background must be [n, c], it is {background.shape}")
    if original is not None and original.shape != background.shape:
        raise ValueError(f"the original dialogue is {original.shape}, the background {background.shape}")
    if kept and original is None:
        raise ValueError("spans are kept, but there is no original dialogue to keep")
    for line in lines:
        if line.samples.ndim != 1 or line.start_s < 0:
            raise ValueError(f"a line must be mono and start at 0 s or later: {line.samples.shape} at {line.start_s} s")
