"""The loop of a training: steps, checkpoints, metrics. A run that was killed and started again is the same run.

In the folder: step-0000123.pt, the newest checkpoints; metrics.jsonl, one object a step with `step` (how many were
done), the step's metrics, `seconds`, `cpu_seconds` (both since the first step, over all resumes) and `frames_per_s`.
"""

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from models.training.checkpoints import Checkpoint, newest_checkpoint, write_checkpoint
from models.training.distributed import any_rank, rank
from models.training.journal import METRICS_FILE, Journal
from models.training.signals import stop_requests
from schemas.errors import RequestError

_SPEED_STEPS = 50  # over which the speed is taken


class Trainee(Protocol):
    """What is trained: weights, optimiser, data, and everything else that a step needs."""

    def step(self, index: int) -> Mapping[str, float]:
        """Take one optimisation step, the first with index 0; all that is random in it depends on (seed, index) alone.

        Returns:
            Metrics of the step: losses, the gradient's norm; `frames`, where given, is how many frames it learned from.
            The loop adds `step`, `seconds`, `cpu_seconds` and `frames_per_s`.
        """

    def state(self) -> dict[str, Any]:
        """All that changes from step to step, as tensors, numbers, strings, dicts and lists."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what `state` returned once; its tensors are on the CPU, and may be kept."""


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        step: Steps done, of `steps`.
        metrics: Of the last step.
        steps_per_s: Of the last few steps.
        eta_s: Seconds that the rest will take.
    """

    step: int
    steps: int
    metrics: Mapping[str, float]
    steps_per_s: float
    eta_s: float


def train(
    trainee: Trainee,
    folder: Path,
    *,
    steps: int,
    checkpoint_every_s: float = 120.0,
    keep: int = 2,
    on_progress: Callable[[Progress], None],
) -> None:
    """Train until `steps` steps are done, from the newest whole checkpoint in `folder` on.

    On SIGTERM or Ctrl-C the step at hand is finished, a checkpoint written, the former handlers put back, and
    KeyboardInterrupt raised, so that no caller takes a half trained model for a whole one. Of several processes
    (`models.training.distributed`) all read, and the first alone writes and reports; metrics are its own.

    Args:
        trainee: Fresh; restored here where there is a checkpoint.
        folder: Of this training alone; made where it is missing.
        steps: In all, those of former runs included.
        checkpoint_every_s: Seconds between checkpoints; one is written at the end, too.
        keep: How many checkpoints stay, at least 1; with 2, a damaged one costs minutes.
        on_progress: Called after each step.

    Raises:
        RequestError: A metric is not finite; the last checkpoint is from before that.
        WeightsError: No checkpoint that is there is whole, or the disk cannot be written.
        KeyboardInterrupt: Asked to stop.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start = newest_checkpoint(folder)
    if start is not None:
        trainee.restore(start.state)
        logging.getLogger(__name__).info("going on from step %d in %s", start.step, folder)
    run = _Run(trainee, folder, keep, start)
    with stop_requests() as request:
        if rank() == 0:
            with Journal(folder / METRICS_FILE, run.step) as journal:
                _run(run, journal, lambda: request.is_made, steps, checkpoint_every_s, on_progress)
        else:
            _run(run, None, lambda: request.is_made, steps, checkpoint_every_s, on_progress)
    if run.step < steps:
        raise KeyboardInterrupt(f"stopped after step {run.step} of {steps}; start again to go on from there")


class _Run:
    """A training that is running: where it is and what it has cost."""

    def __init__(self, trainee: Trainee, folder: Path, keep: int, start: Checkpoint | None) -> None:
        self.trainee, self.folder, self._keep = trainee, folder, keep
        self.step = start.step if start else 0
        self._written = self.step if start else -1
        self._began_s = time.monotonic() - (start.seconds if start else 0.0)
        self._began_cpu_s = time.process_time() - (start.cpu_seconds if start else 0.0)
        self._written_at_s = time.monotonic()
        self._ends_s = deque([time.monotonic()], maxlen=_SPEED_STEPS + 1)

    def advance(self) -> dict[str, float]:
        """Take a step; returns the line of it."""
        metrics = {name: float(value) for name, value in self.trainee.step(self.step).items()}
        self._check(metrics)
        self.step += 1
        self._ends_s.append(time.monotonic())
        line = {"step": self.step, **metrics, "seconds": round(self.seconds, 3), "cpu_seconds": round(self.cpu_s, 3)}
        if "frames" in metrics:
            line["frames_per_s"] = round(metrics["frames"] / max(1e-9, self._ends_s[-1] - self._ends_s[-2]), 1)
        return line

    def _check(self, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            if not math.isfinite(value):
                last = f"the checkpoint of step {self._written} is intact" if self._written >= 0 else "nothing is saved"
                raise RequestError(
                    f"{name} is {value} at step {self.step + 1} of the training in {self.folder}; {last}: lower the "
                    f"learning rate or clip the gradient, and start again"
                )

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began_s

    @property
    def cpu_s(self) -> float:
        return time.process_time() - self._began_cpu_s

    @property
    def since_checkpoint_s(self) -> float:
        return time.monotonic() - self._written_at_s

    def save(self, journal: Journal) -> None:
        """Write a checkpoint, if there has been a step since the last."""
        if self._written != self.step:
            journal.sync()
            state = Checkpoint(self.step, self.seconds, self.cpu_s, self.trainee.state())
            write_checkpoint(self.folder, state, keep=self._keep)
        self._written, self._written_at_s = self.step, time.monotonic()

    def progress(self, steps: int, metrics: Mapping[str, float]) -> Progress:
        taken_s = max(1e-9, self._ends_s[-1] - self._ends_s[0])
        speed = (len(self._ends_s) - 1) / taken_s
        return Progress(self.step, steps, metrics, speed, (steps - self.step) / speed)


def _run(
    run: _Run,
    journal: Journal | None,
    is_asked_to_stop: Callable[[], bool],
    steps: int,
    checkpoint_every_s: float,
    on_progress: Callable[[Progress], None],
) -> None:
    """Step until the end or the request; without a journal, as a process that does not write."""
    while run.step < steps:
        line = run.advance()
        if journal is not None:
            journal.append(line)
            on_progress(run.progress(steps, line))
            if run.since_checkpoint_s >= checkpoint_every_s:
                run.save(journal)
        # All processes have to leave after the same step: one alone would wait for the others' gradients for ever.
        if any_rank(is_asked_to_stop()):
            break
    if journal is not None:
        run.save(journal)
