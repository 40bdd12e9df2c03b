"""Where the separated dialogue is quiet. Letters: n samples, f frames of 10 ms."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from schemas.media import TimeSpan
from schemas.speech import Word

_FRAME_S = 0.01
_BELOW_SPEECH_DB = 28.0
_SILENCE_DB = -65.0
_NEIGHBOURHOOD_FRAMES = 401
_SHORTEST_WORD_S = 0.06
_PART_OF_A_WORD_FRAMES = 20


@dataclass(frozen=True)
class DialogueSound:
    """The separated dialogue, mono [n], and which of its 10 ms frames are quiet.

    Quiet is 28 dB below the loudest sound within 2 s, or below -65 dBFS.
    """

    samples: np.ndarray
    sample_rate_hz: int

    @cached_property
    def quiet(self) -> np.ndarray:
        """[f] bool."""
        from scipy.ndimage import maximum_filter1d, uniform_filter1d

        hop = round(_FRAME_S * self.sample_rate_hz)
        frames = self.samples[: len(self.samples) // hop * hop].reshape(-1, hop).astype(np.float64)
        if len(frames) == 0:
            return np.zeros(0, bool)
        power = uniform_filter1d((frames**2).mean(axis=1), 3, mode="nearest")
        level_db = 10 * np.log10(power + 1e-12)
        loudest_db = maximum_filter1d(level_db, _NEIGHBOURHOOD_FRAMES, mode="nearest")
        return level_db < np.maximum(loudest_db - _BELOW_SPEECH_DB, _SILENCE_DB)

    def sounding(self, span: TimeSpan) -> TimeSpan | None:
        """The part of `span` from its first to its last frame with sound, or None where all is quiet."""
        first, last = self._frames(span)
        active = np.flatnonzero(~self.quiet[first:last])
        if len(active) == 0:
            return None
        return _within(span, first + int(active[0]), first + int(active[-1]) + 1)

    def longest_sound(self, span: TimeSpan) -> TimeSpan | None:
        """The longest stretch of sound in `span` without 0.2 s of quiet in it, or None where all is quiet."""
        first, last = self._frames(span)
        active = first + np.flatnonzero(~self.quiet[first:last])
        if len(active) == 0:
            return None
        islands = np.split(active, np.flatnonzero(np.diff(active) > _PART_OF_A_WORD_FRAMES) + 1)
        longest = max(islands, key=len)
        return _within(span, int(longest[0]), int(longest[-1]) + 1)

    def longest_quiet(self, span: TimeSpan) -> TimeSpan | None:
        """The longest quiet stretch inside `span`, or None where there is none."""
        first, last = self._frames(span)
        best_start, best_length, length = 0, 0, 0
        for index, is_quiet in enumerate(self.quiet[first:last]):
            length = length + 1 if is_quiet else 0
            if length > best_length:
                best_start, best_length = index + 1 - length, length
        return _within(span, first + best_start, first + best_start + best_length)

    def _frames(self, span: TimeSpan) -> tuple[int, int]:
        return int(span.start_s / _FRAME_S), int(np.ceil(span.end_s / _FRAME_S))


def _within(span: TimeSpan, first_frame: int, last_frame: int) -> TimeSpan | None:
    """Frames [first, last) as a span cut to `span`, or None where nothing is left."""
    start_s = max(span.start_s, first_frame * _FRAME_S)
    end_s = min(span.end_s, last_frame * _FRAME_S)
    return TimeSpan(start_s=start_s, end_s=end_s) if end_s > start_s else None


def tighten_words(words: Sequence[Word], sound: DialogueSound) -> tuple[Word, ...]:
    """Shrink each word to the longest stretch of its span that sounds.

    Recognisers let a word last until the next one begins, and so hide pauses; a word of which less
    than 60 ms sounds is left as it is.
    """
    tightened = []
    for word in words:
        span = sound.longest_sound(word.span)
        keeps = span is None or span.duration_s < _SHORTEST_WORD_S
        tightened.append(word if keeps else word.model_copy(update={"span": span}))
    return tuple(tightened)
