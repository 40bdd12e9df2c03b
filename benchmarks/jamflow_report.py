"""What benchmarks/jamflow.py found, as Markdown and as a picture."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from models.jamflow.config import FRAME_RATE_HZ

_PLOTTED = ("upstream fp32", "ours fp32", "ours bf16", "joint fp32, gated", "joint bf16, gated")


def markdown(results: dict) -> str:
    forward, sampling, setting = results["forward"], results["sampling"], results["setting"]
    head = ", ".join(f"{name} {value}" for name, value in setting.items())
    parts = [
        f"Setting: {head}.",
        "## One evaluation\n\n" + _speeds(_without_joint(forward)),
        "## Whole sampling\n\n"
        + (_samplings(_without_joint(sampling), setting["steps"]) if sampling else "Not asked."),
        "## Joint overhead\n\n" + _overheads([row for row in forward + sampling if _is_joint(row)]),
        f"## Memory\n\nOne evaluation of {results['memory_s']:g} s.\n\n" + _memory(results["memory_mb"]),
        "## Growth with length\n\n" + _growth(forward),
        "## Kernels\n\n" + _kernels(results["kernels"]),
    ]
    return "\n\n".join(parts) + "\n"


def save_plot(forward: list[dict], path: Path) -> None:
    """Cost by length, measured and fitted."""
    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    for run in _PLOTTED:
        frames, seconds, cost = _costs(forward, run)
        (line,) = axes.plot(seconds, cost, "o", label=run)
        if len(frames) > 1:
            fitted = np.linspace(frames.min(), frames.max(), 100)
            per_second = frames[0] / seconds[0]
            axes.plot(fitted / per_second, _fit(frames, cost)(fitted), color=line.get_color(), linewidth=1)
    axes.set(xlabel="s of audio", ylabel="s of compute per s of audio", ylim=(0, None), title="One guided evaluation")
    axes.legend(fontsize="small", frameon=False)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _is_joint(row: dict) -> bool:
    return row["run"].startswith("joint")


def _without_joint(rows: list[dict]) -> list[dict]:
    return [row for row in rows if not _is_joint(row)]


def _speeds(rows: list[dict]) -> str:
    head = ("audio s", "frames", "run", "s", "upstream / this", "max difference", "mean difference", "within 1e-3")
    return _table(head, [[f"{row['audio_s']:g}", str(row["frames"]), row["run"], *_figures(row)] for row in rows])


def _samplings(rows: list[dict], steps: int) -> str:
    head = (
        "audio s",
        "run",
        "s",
        "s per s of audio",
        f"upstream's {steps} steps / this",
        "upstream's same steps / this",
    )
    took = {(row["audio_s"], row["run"]): row["took_s"] for row in rows}
    table = []
    for row in rows:
        slowest = took[row["audio_s"], f"upstream fp32, {steps} steps"]
        took_s, *others = _figures(row)
        if row["run"].startswith("upstream"):
            others = ["1.00", "", "", ""]
        lead = (f"{row['audio_s']:g}", row["run"], took_s, f"{row['took_s'] / row['audio_s']:.2f}")
        table.append([*lead, f"{slowest / row['took_s']:.2f}", *others])
    return _table((*head, "max difference", "mean difference", "within 1e-3"), table)


def _figures(row: dict) -> list[str]:
    took_s, ratio = f"{row['took_s']:.2f}", f"{row['ratio']:.2f}"
    if row["run"] == row["base"]:
        return [took_s, ratio, "", "", ""]
    differences = (f"{row[name]:.1e}" for name in ("max_difference", "mean_difference"))
    return [took_s, ratio, *differences, "yes" if row["is_close"] else "no"]


def _overheads(rows: list[dict]) -> str:
    head = ("audio s", "run", "against", "s", "time / audio alone", "max difference of the mel or its velocity")
    table = []
    for row in rows:
        figures = (f"{row['took_s']:.2f}", f"{1 / row['ratio']:.2f}", f"{row['max_difference']:.1e}")
        table.append([f"{row['audio_s']:g}", row["run"], row["base"], *figures])
    return _table(head, table)


def _memory(memory: dict[str, dict[str, float]]) -> str:
    head = ("side", "held after imports MB", "peak of loading MB", "peak of one evaluation MB")
    upstream = memory["upstream"]
    table = []
    for side, held in memory.items():
        ratios = (f"{upstream[when] / held[when]:.2f}" for when in ("loading", "evaluation"))
        table.append([side, *(f"{held[when]:.0f}" for when in ("imports", "loading", "evaluation")), *ratios])
    return _table((*head, "upstream / this, loading", "upstream / this, evaluation"), table)


def _growth(forward: list[dict]) -> str:
    lengths = sorted({row["audio_s"] for row in forward})
    heads = [f"s per s of audio at {seconds:g} s" for seconds in lengths]
    fits = ("a: µs per frame", "b: µs per frame and 1000 frames", "b's share at the longest", "worst error of the fit")
    table = []
    for run in dict.fromkeys(row["run"] for row in forward):
        frames, _, cost = _costs(forward, run)
        table.append([run, *(f"{value:.3f}" for value in cost), *_fitted(frames, cost)])
    return "Cost per frame = a + b L, L frames.\n\n" + _table(("run", *heads, *fits), table)


def _costs(forward: list[dict], run: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames, seconds, and seconds of compute per second of audio, of one run."""
    rows = sorted((row for row in forward if row["run"] == run), key=lambda row: row["frames"])
    frames, seconds, took = (np.array([row[name] for row in rows]) for name in ("frames", "audio_s", "took_s"))
    return frames, seconds, took / seconds


def _fit(frames: np.ndarray, cost: np.ndarray) -> np.polynomial.Polynomial:
    """The line through the costs that has the least relative error."""
    return np.polynomial.Polynomial.fit(frames, cost, deg=1, w=1 / cost).convert()


def _fitted(frames: np.ndarray, cost: np.ndarray) -> list[str]:
    if len(frames) < 2:
        return ["–"] * 4
    line = _fit(frames, cost)
    micros = 1e6 / FRAME_RATE_HZ
    constant, slope = line.coef
    share, error = slope * frames[-1] / line(frames[-1]), np.abs(line(frames) / cost - 1).max()
    return [f"{constant * micros:.0f}", f"{slope * 1000 * micros:.0f}", f"{share:.0%}", f"{error:.1%}"]


def _kernels(kernels: list[dict]) -> str:
    table = [[row["kernel"], f"{row['gflop_s']:.0f}", f"{row['evaluation_s']:.2f}"] for row in kernels]
    return _table(("kernel", "GFLOP/s", "s of an evaluation of 10 s"), table)


def _table(head: tuple[str, ...], rows: list[list[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
