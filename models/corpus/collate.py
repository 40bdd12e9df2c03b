"""Clips to the joint model's batch. Letters: b clips, n mel and m motion frames of the longest, k phones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.corpus.features import Clip
from models.corpus.placing import evenly, frame_ids, jittered
from models.jamflow.chance import AudioClips, Batch, MotionClips
from models.jamflow.config import FRAME_RATE_HZ
from models.jamflow.tokens import PADDING, Vocabulary, tokenize

LONGEST_PAIR = 1000
"""Mel frames, 10.7 s."""


@dataclass(frozen=True)
class Placing:
    """How clips and their phones are laid out in training.

    Attributes:
        paired: Share of the batches whose clips are joined in pairs of one speaker, as a reference voice and what is
            to be said lie at inference.
        even, true: Shares of the clips whose phones are spread evenly, and of those that keep their times; those of
            the rest are disturbed.
        spread: Of the disturbed ones' durations, log-normally.
    """

    paired: float
    even: float
    true: float
    spread: float


Spell = Callable[[Clip, Placing, np.random.Generator], np.ndarray]
"""What the network reads of a clip: numbers of a vocabulary [n] int64, at most one for each mel frame."""


def collate(clips: Sequence[Clip], placing: Placing, rng: np.random.Generator, spell: Spell | None = None) -> Batch:
    """Pad clips to one batch; motion is there where any clip has it.

    Args:
        spell: Phones at their places, where it is None.
    """
    clips = in_pairs(clips) if rng.random() < placing.paired else clips
    lengths = torch.tensor([len(clip.mel) for clip in clips])
    tokens = [torch.from_numpy((spell or placed)(clip, placing, rng)) for clip in clips]
    audio = AudioClips(
        mel=_padded([torch.from_numpy(clip.mel).float() for clip in clips]),
        tokens=torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True, padding_value=PADDING),
        lengths=lengths,
    )
    return Batch(audio, _motion(clips) if any(len(clip.mouth) for clip in clips) else None)


def in_pairs(clips: Sequence[Clip]) -> list[Clip]:
    """Join clips of one speaker two by two, up to `LONGEST_PAIR` frames; those without a partner stay alone."""
    pairs: list[Clip] = []
    waiting: dict[tuple[str, str], Clip] = {}
    for clip in clips:
        key = (clip.speaker, clip.language)
        first = waiting.pop(key, None)
        if first is None:
            waiting[key] = clip
        elif len(first.mel) + len(clip.mel) <= LONGEST_PAIR:
            pairs.append(joined(first, clip))
        else:
            pairs += [first, clip]
    return pairs + list(waiting.values())


def joined(first: Clip, second: Clip) -> Clip:
    """One clip after another."""
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(first, name), getattr(second, name)])
        for name in ("mel", "mouth", "rest", "visible", "phones")
    }
    starts_s = len(first.mel) / FRAME_RATE_HZ
    edges_s = np.concatenate([first.edges_s[: len(first.phones)], starts_s + second.edges_s])
    return replace(second, id=f"{first.id}+{second.id}", text=f"{first.text} {second.text}", edges_s=edges_s, **arrays)


def placed(clip: Clip, placing: Placing, rng: np.random.Generator) -> np.ndarray:
    """The phone of each mel frame [n]; none at all where the corpus has no times."""
    if not len(clip.phones):
        return np.full(len(clip.mel), PADDING, np.int64)
    edges_s, which = clip.edges_s, rng.random()
    if which < placing.even:
        edges_s = evenly(clip.phones, edges_s)
    elif which >= placing.even + placing.true:
        edges_s = jittered(edges_s, placing.spread, rng)
    return frame_ids(clip.phones, edges_s, len(clip.mel), FRAME_RATE_HZ)


def lettered(vocabulary: Vocabulary) -> Spell:
    """The tokens of a clip's text, as F5-TTS reads it: from the first frame on, wherever they are said."""

    def spell(clip: Clip, _placing: Placing, _rng: np.random.Generator) -> np.ndarray:
        return np.array(vocabulary.ids(tokenize(clip.text)), np.int64)

    return spell


def _motion(clips: Sequence[Clip]) -> MotionClips:
    return MotionClips(
        mouth=_padded([torch.from_numpy(clip.mouth) for clip in clips]),
        rest=_padded([torch.from_numpy(clip.rest) for clip in clips]),
        visible=_padded([torch.from_numpy(clip.visible) for clip in clips]),
        lengths=torch.tensor([len(clip.mouth) for clip in clips]),
        has_rest=torch.tensor([not clip.is_imagined for clip in clips]),
    )


def _padded(parts: Sequence[Tensor]) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(list(parts), batch_first=True)
