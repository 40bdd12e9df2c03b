"""Lines over music and effects, at the loudness of a named profile."""

import numpy as np

from media.audio_io import resample, to_mono
from media.loudness import PROFILES, normalise
from media.mix import PlacedLine, mix_lines
from schemas.dub import Profile, Take
from schemas.media import TimeSpan
from schemas.stages import DubMix, SpokenLine, Stems
from tasks.stage import stage_task
from tasks.workplace import Workplace, open_workplace


@stage_task("mix", version=1)
def mix(stems: Stems, spoken: tuple[SpokenLine, ...], channel_layout: str, profile: Profile) -> DubMix:
    """Place every take at its line's start; lines without a take keep the original voice."""
    place = open_workplace()
    background, sample_rate_hz = place.samples(stems.background)
    dialogue, _ = place.samples(stems.dialogue)
    dubbed = [item for item in spoken if item.take is not None]
    mixed = mix_lines(
        background,
        [_placed(place, item, dialogue, sample_rate_hz) for item in dubbed],
        sample_rate_hz,
        channel_layout,
        kept=[item.line.span for item in spoken if item.take is None],
        original_dialogue=dialogue,
    )
    final = normalise(mixed.mix, sample_rate_hz, PROFILES[profile], channel_layout=channel_layout)
    gain = np.float32(10 ** (final.gain_db / 20))
    return DubMix(
        audio=place.put_samples(final.samples, sample_rate_hz),
        dialogue=place.put_samples(mixed.dialogue * gain, sample_rate_hz),
        background=place.put_samples(background * gain, sample_rate_hz),
        gain_db=final.gain_db,
        integrated_lufs=final.integrated_lufs,
        true_peak_dbtp=final.true_peak_dbtp,
        warnings=tuple(
            f"{item.line.id} runs {cut_s:.2f} s beyond the end of the video and was faded out; shorten its text"
            for item, cut_s in zip(dubbed, mixed.line_cuts_s, strict=True)
            if cut_s > 0
        ),
    )


def _placed(place: Workplace, item: SpokenLine, original: np.ndarray, sample_rate_hz: int) -> PlacedLine:
    assert item.take is not None, "only lines with a take are placed"
    span = item.line.span
    return PlacedLine(
        start_s=span.start_s,
        samples=_take_samples(place, item.take, sample_rate_hz),
        reference=cut(original, span, sample_rate_hz),
    )


def _take_samples(place: Workplace, take: Take, sample_rate_hz: int) -> np.ndarray:
    samples, rate_hz = place.samples(take.audio)
    return resample(to_mono(samples), rate_hz, sample_rate_hz)


def cut(samples: np.ndarray, span: TimeSpan, sample_rate_hz: int) -> np.ndarray:
    """The samples of a span; shorter where the recording ends first."""
    return samples[round(span.start_s * sample_rate_hz) : round(span.end_s * sample_rate_hz)]
