"""Where a mouth says the phones of a text: its frames rated by visemes, then forced alignment.

Letters: m motion frames, n fine frames (4 for each of motion), c visemes, k phones.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from models.alignment.checkpoint import load_classifier, save_classifier
from models.alignment.network import FrameClassifier, FrameClassifierConfig
from models.alignment.rating import log_probabilities
from models.alignment.viterbi import align_timed
from models.corpus.features import Clip
from models.corpus.phones import PAUSE, TimedPhone, merged, phone_vocabulary
from models.corpus.placing import frame_ids
from models.timing.visemes import VISEMES, viseme_of_phone

UPSAMPLE = 4
FINE_RATE_HZ = 100.0
_TRUST = 0.3  # in a frame's rating, as neighbours repeat each other
_SPREAD = 0.4  # of a phone's length, as a share of what the text alone says
_PAUSE_SPREAD = 1.5
_FLOOR = -12.0


class MouthTiming:
    """A loaded classifier of mouths [m, mouth], z-scored, at 25 fps."""

    def __init__(self, network: FrameClassifier) -> None:
        self._network = network

    def follow(self, phones: Sequence[TimedPhone], mouth: np.ndarray) -> tuple[TimedPhone, ...]:
        """Move phones [k], from 0 to about the end of the mouth's motion [m, mouth], to where the mouth says them.

        The first and the last edge stay where they are; more phones than fine frames stay as they are.
        """
        rated = np.maximum(log_probabilities(self._network, mouth), _FLOOR) * _TRUST
        kept = merged(phones)
        states = viseme_of_phone()[phone_vocabulary().ids(phone.phone for phone in kept)]
        lengths = np.array([max(1.0, phone.duration_s * FINE_RATE_HZ) for phone in kept])
        spreads = lengths * np.where([phone.phone == PAUSE for phone in kept], _PAUSE_SPREAD, _SPREAD)
        if len(kept) > len(rated):
            return tuple(phones)
        edges_s = np.minimum(align_timed(rated, states.tolist(), lengths, spreads) / FINE_RATE_HZ, kept[-1].end_s)
        edges_s[-1] = kept[-1].end_s
        times = zip(kept, edges_s[:-1].tolist(), edges_s[1:].tolist(), strict=True)
        return tuple(TimedPhone(phone.phone, start_s, end_s) for phone, start_s, end_s in times)


def load_mouth_timing(folder: Path) -> MouthTiming:
    """Raises: WeightsError, where the folder holds no classifier."""
    return MouthTiming(load_classifier(folder)[0])


def train_mouth_timing(clips: Sequence[Clip], folder: Path, *, steps: int, seed: int) -> FrameClassifier:
    """Fit the classifier to the visemes of clips with faces, and write it into a folder.

    Mouths are varied in size and offset, so that other mouths than those of the corpus can be read.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    config = FrameClassifierConfig(clips[0].mouth.shape[1], 96, 5, len(VISEMES), UPSAMPLE, dropout=0.2)
    network = FrameClassifier(config).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    whole = [clip for clip in clips if len(clip.mouth) == len(clips[0].mouth) and clip.visible.all()]
    mouths = torch.from_numpy(np.stack([clip.mouth for clip in whole]))
    visemes = torch.from_numpy(np.stack([viseme_frames(clip) for clip in whole]))
    for _ in range(steps):
        chosen = rng.choice(len(whole), 32)
        scale = torch.from_numpy(rng.normal(1.0, 0.15, (32, 1, mouths.shape[2])).astype(np.float32))
        offset = torch.from_numpy(rng.normal(0.0, 0.2, (32, 1, mouths.shape[2])).astype(np.float32))
        noise = 0.05 * torch.randn(32, *mouths.shape[1:])
        logits = network(mouths[chosen] * scale + offset + noise)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), visemes[chosen].flatten(), label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    folder.mkdir(parents=True, exist_ok=True)
    save_classifier(network, {"visemes": list(VISEMES), "clips": len(whole), "steps": steps, "seed": seed}, folder)
    return network.eval()


def viseme_frames(clip: Clip) -> np.ndarray:
    """The viseme of each fine frame [n]."""
    return np.asarray(viseme_of_phone()[frame_ids(clip.phones, clip.edges_s, UPSAMPLE * len(clip.mouth), FINE_RATE_HZ)])
