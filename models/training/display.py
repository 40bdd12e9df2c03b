"""Showing a training's progress: a live bar on a terminal, a plain line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from models.training.journal import ACCOUNTS
from models.training.loop import Progress

_SMOOTHING = 0.95  # of what was shown before, at each step


class Smoothed:
    """Running averages of metrics; the first steps weigh no more than others."""

    def __init__(self, decay: float = _SMOOTHING) -> None:
        self._decay, self._sums, self._weights = decay, dict[str, float](), dict[str, float]()

    def update(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """Take in the metrics of a step; returns the averages of those that were ever given."""
        for name, value in metrics.items():
            self._sums[name] = self._decay * self._sums.get(name, 0.0) + value
            self._weights[name] = self._decay * self._weights.get(name, 0.0) + 1
        return {name: total / self._weights[name] for name, total in self._sums.items()}


@contextmanager
def shown_progress(
    title: str, *, console: Console | None = None, every_s: float = 20.0
) -> Iterator[Callable[[Progress], None]]:
    """Yield an `on_progress` for `train`: step, smoothed losses, speed, time left.

    Args:
        title: Before all else.
        console: Standard error, where not given.
        every_s: Seconds between lines where the console is no terminal.
    """
    console = console or Console(stderr=True)
    if console.is_terminal:
        with _bar(console) as bar:
            yield _on_bar(bar, title)
    else:
        yield _in_lines(console, title, every_s)


def _bar(console: Console) -> Bar:
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[told]}"))
    return Bar(TextColumn("{task.description}"), *columns, console=console, refresh_per_second=2)


def _on_bar(bar: Bar, title: str) -> Callable[[Progress], None]:
    task, smoothed = bar.add_task(title, total=None, told=""), Smoothed()

    def show(progress: Progress) -> None:
        told = _told(progress, smoothed.update(_losses(progress)))
        bar.update(task, total=progress.steps, completed=progress.step, told=told)

    return show


def _in_lines(console: Console, title: str, every_s: float) -> Callable[[Progress], None]:
    smoothed, next_s = Smoothed(), time.monotonic()

    def show(progress: Progress) -> None:
        nonlocal next_s
        losses = smoothed.update(_losses(progress))
        if time.monotonic() >= next_s or progress.step == progress.steps:
            told = f"{title} step {progress.step}/{progress.steps}: {_told(progress, losses)}"
            console.print(told, soft_wrap=True, highlight=False, markup=False)
            next_s = time.monotonic() + every_s

    return show


def _losses(progress: Progress) -> dict[str, float]:
    return {name: value for name, value in progress.metrics.items() if name not in ACCOUNTS}


def _told(progress: Progress, losses: Mapping[str, float]) -> str:
    shown = ", ".join(f"{name} {value:.4g}" for name, value in losses.items())
    return f"{shown}; {progress.steps_per_s:.3g} steps/s, {_clock(progress.eta_s)} left"


def _clock(seconds: float) -> str:
    minutes, rest_s = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest_s:02d}"
