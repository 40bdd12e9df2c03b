"""What a user sees of a training, and its curves."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console

from models.training.display import Smoothed, shown_progress
from models.training.loop import Progress
from models.training.plot import plot_metrics, smooth
from schemas.errors import RequestError


def progress(step: int, loss: float = 2.0) -> Progress:
    metrics = {"step": step, "loss": loss, "seconds": 1.0, "cpu_seconds": 1.0, "frames": 8.0, "frames_per_s": 8.0}
    return Progress(step, 10, metrics, 0.5, 2.0 * (10 - step))


def shown(*, is_terminal: bool, every_s: float) -> str:
    written = io.StringIO()
    console = Console(file=written, force_terminal=is_terminal, width=120)
    with shown_progress("vocoder", console=console, every_s=every_s) as show:
        for step in range(1, 11):
            show(progress(step))
    return written.getvalue()


def test_without_a_terminal_there_is_a_line_now_and_then() -> None:
    first, last = shown(is_terminal=False, every_s=60).splitlines()
    assert first == "vocoder step 1/10: loss 2; 0.5 steps/s, 0:00:18 left"
    assert last == "vocoder step 10/10: loss 2; 0.5 steps/s, 0:00:00 left"
    assert len(shown(is_terminal=False, every_s=0).splitlines()) == 10


def test_on_a_terminal_there_is_a_bar() -> None:
    written = shown(is_terminal=True, every_s=60)
    assert "10/10" in written and "loss 2; 0.5 steps/s, 0:00:00 left" in written


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=200), st.floats(0, 0.99))
def test_averages_lie_among_the_values(values: list[float], decay: float) -> None:
    smoothed = Smoothed(decay)
    for value in values:
        average = smoothed.update({"loss": value})["loss"]
    assert min(values) - 1e-6 <= average <= max(values) + 1e-6
    for _ in range(3000):
        average = smoothed.update({"loss": 5.0})["loss"]
    assert average == pytest.approx(5.0, abs=1e-6)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=300))
def test_smoothing_is_the_mean_of_neighbours(values: list[float]) -> None:
    half = max(1, round(0.02 * len(values)))
    means = [np.mean(values[max(0, i - half) : i + half + 1]) for i in range(len(values))]
    assert smooth(np.array(values)) == pytest.approx(np.array(means), abs=1e-6)


def test_curves_are_drawn(tmp_path: Path) -> None:
    lines = [
        {"step": i + 1, "loss": 1 / (i + 1), "late": i, "seconds": i, "cpu_seconds": 3600.0 * i} for i in range(50)
    ]
    for line in lines[:25]:
        del line["late"]
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"step": 51, "lo')
    plot_metrics(path, tmp_path / "all.png")
    plot_metrics(path, tmp_path / "one.png", names=["late"])
    sizes = [np.asarray(Image.open(tmp_path / name).convert("L")) for name in ("all.png", "one.png")]
    assert sizes[0].shape[0] > sizes[1].shape[0] and all(size.std() > 5 for size in sizes)
    with pytest.raises(RequestError, match="has a metric 'los': choose from step, loss"):
        plot_metrics(path, tmp_path / "none.png", names=["los"])


def test_a_training_without_steps_has_no_curves(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"metrics.jsonl holds no steps"):
        plot_metrics(tmp_path / "metrics.jsonl", tmp_path / "none.png")
