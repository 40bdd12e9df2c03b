"""What all stages of a training share: they are long, so they resume from their own folder and are not cached."""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from models.training.display import shown_progress
from models.training.distributed import rank
from models.training.journal import METRICS_FILE
from models.training.loop import Progress as Step
from models.training.loop import Trainee, train
from models.training.plot import plot_metrics
from schemas.training import Training

CURVES_FILE = "curves.png"
_LINE_EVERY_S = 20.0


def say(text: str) -> None:
    """Tell people something; the first of several processes does."""
    if rank() == 0:
        Console(stderr=True).print(text, soft_wrap=True, highlight=False, markup=False)


def device() -> torch.device:
    """Where this process trains: the GPU that it was given, or the CPU."""
    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


def digest(parts: Sequence[str]) -> str:
    """One short name for many: of the clips, say."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def made_whole(path: Path, make: Callable[[Path], None]) -> Path:
    """Make a folder that appears whole or not at all; one that is there is kept."""
    if not path.exists():
        building = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        try:
            make(building)
            building.chmod(0o755)  # mkdtemp's folders are the owner's alone
            building.rename(path)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return path


def run_stage(title: str, trainee: Trainee, folder: Path, steps: int, config: Training) -> None:
    """Train, or go on, with a live display; afterwards, or when stopped, the curves lie beside the metrics.

    Raises:
        RequestError, WeightsError, KeyboardInterrupt: As `models.training.loop.train`.
    """
    with plotted(folder), shown(title) as show:
        train(
            trainee,
            folder,
            steps=steps,
            checkpoint_every_s=config.checkpoint_every_s,
            keep=config.keep,
            on_progress=show,
        )


@contextmanager
def plotted(folder: Path) -> Iterator[None]:
    """Draw the curves of a training beside its metrics when the block ends, however it does."""
    try:
        yield
    finally:
        metrics = folder / METRICS_FILE
        if rank() == 0 and metrics.is_file() and metrics.stat().st_size:
            plot_metrics(metrics, folder / CURVES_FILE)


@contextmanager
def shown(title: str) -> Iterator[Callable[[Step], None]]:
    """Yield an `on_progress` that shows people how a training goes; of several processes the first one's is seen."""
    if rank() == 0:
        with shown_progress(title) as show:
            yield show
    else:
        yield _unseen


def _unseen(_step: Step) -> None:
    """Of a process whose progress nobody is shown."""


@contextmanager
def counted(title: str, unit: str) -> Iterator[Callable[[float, float], None]]:
    """Yield a function to tell (done, total): a live bar on a terminal, a line now and then elsewhere."""
    console = Console(stderr=True)
    if console.is_terminal:
        columns = (BarColumn(), TextColumn("{task.completed:.4g}/{task.total:.4g} " + unit), TimeElapsedColumn())
        with Progress(TextColumn("{task.description}"), *columns, TimeRemainingColumn(), console=console) as bars:
            bar = bars.add_task(title, total=1)
            yield lambda done, total: bars.update(bar, completed=done, total=total)
    else:
        yield _in_lines(title, unit)


def _in_lines(title: str, unit: str) -> Callable[[float, float], None]:
    began_s = next_s = time.monotonic()

    def tell(done: float, total: float) -> None:
        nonlocal next_s
        now_s = time.monotonic()
        if now_s >= next_s or done >= total:
            next_s = now_s + _LINE_EVERY_S
            say(f"{title}: {done:.4g}/{total:.4g} {unit} after {now_s - began_s:.0f} s")

    return tell
