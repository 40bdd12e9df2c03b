"""A small real training for the tests, which also runs as a process of its own: FOLDER STEPS SECONDS_BETWEEN."""

import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.jamflow.ema import Ema
from models.training.chance import step_seed
from models.training.distributed import process_group, rank, wrap
from models.training.loop import Progress, train
from models.training.schedule import warm_cosine

RATE, STEPS = 1e-2, 40


class SmallTrainee:
    """Learns a product of noisy inputs, with dropout, AdamW, a schedule and averaged weights."""

    def __init__(self, seed: int = 0, slowed_s: float = 0.0) -> None:
        torch.manual_seed(seed)
        self.seed, self.slowed_s = seed, slowed_s
        self.module = nn.Sequential(nn.Linear(4, 32), nn.GELU(), nn.Dropout(0.2), nn.Linear(32, 1))
        self.optimiser = torch.optim.AdamW(self.module.parameters(), lr=RATE)
        self.ema = Ema(self.module, 0.9)
        self.wrapped = wrap(self.module)

    def step(self, index: int) -> dict[str, float]:
        torch.manual_seed(step_seed(self.seed, index, rank()))
        for group in self.optimiser.param_groups:
            group["lr"] = RATE * warm_cosine(index, steps=STEPS, warmup=5)
        x = torch.randn(16, 4)
        loss = (self.wrapped(x)[:, 0] - x.prod(dim=1)).square().mean()
        self.optimiser.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        self.optimiser.step()
        self.ema.update(self.module)
        time.sleep(self.slowed_s)
        return {"loss": loss.item(), "gradient_norm": float(norm), "frames": len(x)}

    def state(self) -> dict[str, Any]:
        parts = {"module": self.module, "optimiser": self.optimiser, "ema": self.ema}
        return {name: part.state_dict() for name, part in parts.items()}

    def restore(self, state: dict[str, Any]) -> None:
        self.module.load_state_dict(state["module"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.ema.load_state_dict(state["ema"])


def ignore(_progress: Progress) -> None:
    """For whom the folder is enough."""


if __name__ == "__main__":
    torch.set_num_threads(1)
    with process_group():
        trainee = SmallTrainee(slowed_s=0.05)
        train(
            trainee,
            Path(sys.argv[1]),
            steps=int(sys.argv[2]),
            checkpoint_every_s=float(sys.argv[3]),
            on_progress=ignore,
        )
        if rank() == 1:
            torch.save(trainee.state(), Path(sys.argv[1]) / "second.pt")
