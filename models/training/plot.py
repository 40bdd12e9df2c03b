"""Curves of a training: `python -m models.training.plot RUN/metrics.jsonl curves.png`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.training.journal import ACCOUNTS, read_metrics
from schemas.errors import RequestError

_SMOOTHED_SHARE = 0.02  # of all steps, on either side of each


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.training.plot", description=__doc__)
    parser.add_argument("metrics", type=Path)
    parser.add_argument("image", type=Path)
    parser.add_argument("--names", nargs="*", default=(), help="which metrics; empty: all")
    arguments = parser.parse_args()
    plot_metrics(arguments.metrics, arguments.image, names=arguments.names)


def plot_metrics(metrics: Path, image: Path, *, names: Sequence[str] = ()) -> None:
    """Draw metrics against steps, a panel each, faint as they are and dark smoothed; CPU hours in the title.

    Args:
        metrics: metrics.jsonl of `models.training.loop.train`.
        image: PNG to write.
        names: Of metrics; empty: all but the accounts of time.

    Raises:
        RequestError: There are no steps, or none has a metric of that name.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # no display, and no state of pyplot's
    from matplotlib.figure import Figure

    lines = read_metrics(metrics)
    if not lines:
        raise RequestError(f"{metrics} holds no steps: check the path, or wait for the first")
    chosen = list(names) or sorted({name for line in lines for name in line} - ACCOUNTS)
    figure = Figure(figsize=(8, 2.2 * len(chosen) + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, name in zip(figure.subplots(len(chosen), squeeze=False)[:, 0], chosen, strict=True):
        points = np.array([(line["step"], line[name]) for line in lines if name in line], dtype=float)
        if not len(points):
            raise RequestError(f"no step in {metrics} has a metric {name!r}: choose from {', '.join(lines[-1])}")
        axes.plot(*points.T, color="tab:blue", alpha=0.2, linewidth=0.6)
        axes.plot(points[:, 0], smooth(points[:, 1]), color="tab:blue", linewidth=1.4)
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
        axes.margins(x=0)
    axes.set_xlabel("step")
    figure.suptitle(f"{lines[-1]['step']} steps, {lines[-1]['cpu_seconds'] / 3600:.2f} CPU hours")
    figure.savefig(image, dpi=110)


def smooth(values: np.ndarray) -> np.ndarray:
    """A running mean [n] over 2 % of the values on either side; nearer the ends, over as many as there are."""
    half = max(1, round(_SMOOTHED_SHARE * len(values)))
    sums = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(len(values))
    first, last = np.maximum(0, places - half), np.minimum(len(values), places + half + 1)
    smoothed: np.ndarray = (sums[last] - sums[first]) / (last - first)
    return smoothed


if __name__ == "__main__":
    main()
