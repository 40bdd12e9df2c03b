"""Clips of like length together, in an order that is a function of the seed: any batch can be had at any time."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from models.corpus.features import Clip
from schemas.errors import RequestError

_SHUFFLED_SHARE = 0.1  # of the length, by which neighbours change places from epoch to epoch


class Batches:
    """All clips, epoch after epoch, in batches of about `frames` mel frames; no clip is cut or left out."""

    def __init__(self, clips: Sequence[Clip], *, frames: int, seed: int) -> None:
        """Raises: RequestError, where there are no clips, or one is longer than a batch."""
        self._clips, self._frames, self._seed = tuple(clips), frames, seed
        self._lengths = np.array([len(clip.mel) for clip in clips])
        if not self._clips:
            raise RequestError("there is no clip to train on: check the corpus and the split")
        longest = int(self._lengths.argmax())
        if self._lengths[longest] > frames:
            raise RequestError(
                f"clip {clips[longest].id} has {self._lengths[longest]} frames, a batch {frames}: "
                f"enlarge the batch or leave the clip out"
            )
        self._epoch = lru_cache(maxsize=2)(self._batches_of)
        self._starts = [0]

    def __getitem__(self, number: int) -> list[Clip]:
        """The batch of a number, from 0 on without end."""
        while self._starts[-1] <= number:
            self._starts.append(self._starts[-1] + len(self._epoch(len(self._starts) - 1)))
        epoch = int(np.searchsorted(self._starts, number, side="right")) - 1
        return [self._clips[index] for index in self._epoch(epoch)[number - self._starts[epoch]]]

    def _batches_of(self, epoch: int) -> list[list[int]]:
        rng = np.random.default_rng([self._seed, epoch])
        order = np.argsort(self._lengths * (1 + _SHUFFLED_SHARE * rng.random(len(self._lengths))), kind="stable")
        batches: list[list[int]] = [[]]
        longest = 0
        for index in order.tolist():
            longest = max(longest, int(self._lengths[index]))
            if (len(batches[-1]) + 1) * longest > self._frames:  # padded frames count
                batches.append([])
                longest = int(self._lengths[index])
            batches[-1].append(index)
        rng.shuffle(batches)
        return batches
