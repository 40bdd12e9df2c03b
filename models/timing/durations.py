"""How long phones naturally are, from what they are and what is around them. Letters: b texts, k phones, w width."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from models.corpus.phones import phone_vocabulary
from models.weights.tensors import build, read_tensors

_LONGEST_S, _SHORTEST_S = 1.0, 0.015


@dataclass(frozen=True)
class DurationConfig:
    """Sizes of the network."""

    phones: int
    width: int = 96
    layers: int = 3
    kernel: int = 5


class DurationPredictor(nn.Module):
    """The logarithm of each phone's length in seconds."""

    def __init__(self, config: DurationConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.phones + 1, config.width, padding_idx=0)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(config.width, config.width, config.kernel, padding=config.kernel // 2)
            for _ in range(config.layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(config.layers))
        self.output = nn.Linear(config.width, 1)

    def forward(self, phones: Tensor) -> Tensor:
        """[b, k] numbers of the phone vocabulary, -1 beyond the end, to [b, k]."""
        hidden, is_there = self.embedding(phones + 1), (phones >= 0)[..., None]
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            # Beyond the end there is nothing, as where a text is alone: else its last phones depend on its batch.
            hidden = norm(hidden + torch.relu(convolution(hidden.transpose(1, 2)).transpose(1, 2))) * is_there
        out: Tensor = self.output(hidden)[..., 0]
        return out


class Durations:
    """A loaded predictor; calling it gives seconds [k] for the phones of one clause."""

    def __init__(self, network: DurationPredictor) -> None:
        self._network = network.eval()

    @torch.inference_mode()
    def __call__(self, phones: Sequence[str]) -> np.ndarray:
        ids = torch.tensor([phone_vocabulary().ids(phones)])
        seconds: np.ndarray = self._network(ids)[0].exp().clamp(_SHORTEST_S, _LONGEST_S).double().numpy()
        return seconds


def load_durations(path: Path) -> Durations:
    """Raises: WeightsError, where the file is missing or holds something else."""
    config = DurationConfig(len(phone_vocabulary().entries))
    return Durations(build(lambda: DurationPredictor(config), read_tensors(path), path))


def train_durations(texts: Sequence[tuple[np.ndarray, np.ndarray]], *, epochs: int, seed: int) -> DurationPredictor:
    """Fit a predictor to (phone numbers [k], edges in seconds [k + 1]) of many clips, by squared error of logarithms.

    The pauses at either end are left out: how long those are is no matter of the text.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = DurationPredictor(DurationConfig(len(phone_vocabulary().entries)))
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3)
    order = np.arange(len(texts))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=epochs * (-(-len(order) // 32)))
    for _ in range(epochs):
        rng.shuffle(order)
        for start in range(0, len(order), 32):
            chosen = [texts[index] for index in order[start : start + 32]]
            loss = _loss(network, chosen)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def _loss(network: DurationPredictor, texts: Sequence[tuple[np.ndarray, np.ndarray]]) -> Tensor:
    phones = pad_sequence([torch.from_numpy(ids[1:-1]) for ids, _ in texts], batch_first=True, padding_value=-1)
    wanted = [torch.from_numpy(np.log(np.maximum(np.diff(edges)[1:-1], _SHORTEST_S))).float() for _, edges in texts]
    counts = (phones >= 0).float()
    errors = (network(phones) - pad_sequence(wanted, batch_first=True)) ** 2
    return (errors * counts).sum() / counts.sum()
