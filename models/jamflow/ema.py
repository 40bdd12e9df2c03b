"""Exponential moving averages of a model's parameters."""

import torch
from torch import Tensor, nn


class Ema:
    """Averages, as float32, of what a model's parameters were.

    Early ones forget faster, decay_k = min(decay, (1 + k) / (10 + k)), so that the random start does not linger.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.averages = {name: parameter.detach().float().clone() for name, parameter in model.named_parameters()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take in the parameters after a step."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, parameter in model.named_parameters():
            self.averages[name].lerp_(parameter.detach().float(), 1 - decay)

    @torch.no_grad()
    def copy_to(self, model: nn.Module) -> None:
        """Put the averages into a model of the same form."""
        for name, parameter in model.named_parameters():
            parameter.copy_(self.averages[name])

    def state_dict(self) -> dict[str, Tensor]:
        """Averages and their count, to go on from."""
        return {**self.averages, "updates": torch.tensor(self.updates)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Raises: KeyError, where the state is of another model."""
        self.updates = int(state["updates"])
        self.averages = {name: state[name].clone() for name in self.averages}
