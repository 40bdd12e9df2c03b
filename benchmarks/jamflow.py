"""JAM-Flow beside F5-TTS's own network and sampler, with the same weights and inputs: time, memory, difference.

    .venv-bench/bin/python benchmarks/jamflow.py [--seconds 3 10 30] [--sampling-seconds 3 10] [--steps 32]
        [--repeats 3] [--sampling-repeats 1] [--json FILE] [--plot FILE.png] > results.md

F5TTS_v1_Base's size, seeded weights, guidance on, two threads. Both sides take turns in one process and the best time
of each counts; memory is measured before that, each side in a process of its own. Progress goes to the standard error.
`make bench-jamflow` builds the environment. 30 s of whole sampling take about an hour on two cores, so ask for them.
"""

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import torch
from f5_upstream import Upstream
from jamflow_kernels import kernel_rates
from jamflow_ours import Clip, Ours, draw_clip, evaluation, load_ours, sampling
from jamflow_report import markdown, save_plot
from torch import Tensor

THREADS = 2
FAST_STEPS = 7
MEMORY_SIDES = ("upstream", "fp32", "bf16", "fp32+motion", "bf16+motion")
LOG = logging.getLogger("jamflow")
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Run:
    """What is timed, and the run that it is held against."""

    name: str
    base: str
    call: Callable[[], Tensor]


@dataclass(frozen=True)
class Row:
    """A run's best time, how many times faster than its base it is, and how far its result is from the base's."""

    audio_s: float
    frames: int
    run: str
    base: str
    took_s: float
    ratio: float
    max_difference: float
    mean_difference: float
    is_close: bool


def main() -> None:
    options = _options()
    logging.basicConfig(format="[{relativeCreated:9.0f} ms] {message}", style="{", force=True)
    LOG.setLevel(logging.INFO)
    torch.set_num_threads(THREADS)
    results = {"setting": _setting(options), **_measured(options)}
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1))
    if options.plot is not None:
        save_plot(results["forward"], options.plot)
    sys.stdout.write(markdown(results))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, nargs="+", default=[3, 10, 30], help="lengths for one evaluation")
    parser.add_argument("--sampling-seconds", type=float, nargs="*", default=[3, 10], help="lengths to sample whole")
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sampling-repeats", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="FILE")
    return parser.parse_args()


def _setting(options: argparse.Namespace) -> dict:
    packages = {name: version(name) for name in ("torch", "f5-tts")}
    repeats = {"repeats": options.repeats, "sampling_repeats": options.sampling_repeats}
    return {**packages, "threads": THREADS, "steps": options.steps, "fast_steps": FAST_STEPS, **repeats}


def _measured(options: argparse.Namespace) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "model.safetensors"
        LOG.info("writing seeded weights")
        subprocess.run([sys.executable, HERE / "f5_upstream.py", weights], check=True, timeout=600)
        # First, while this process is small: a new process' peak starts at that of the process that started it.
        memory = {side: _memory(weights, side, max(options.seconds)) for side in MEMORY_SIDES}
        LOG.info("kernels")
        kernels = kernel_rates()
        LOG.info("loading both sides")
        upstream = Upstream(weights)
        ours = {precision: load_ours(weights, precision) for precision in ("fp32", "bf16")}
    forward = [row for s in options.seconds for row in _forward(upstream, ours, s, options.repeats)]
    sampled = partial(_sampling, upstream, ours, steps=options.steps, repeats=options.sampling_repeats)
    samplings = [row for seconds in options.sampling_seconds for row in sampled(seconds)]
    lists = {"forward": [asdict(row) for row in forward], "sampling": [asdict(row) for row in samplings]}
    return {"memory_s": max(options.seconds), "memory_mb": memory, "kernels": kernels, **lists}


def _memory(weights: Path, side: str, seconds: float) -> dict[str, float]:
    LOG.info("memory of %s, one evaluation of %g s", side, seconds)
    command = [sys.executable, HERE / "jamflow_memory.py", weights, side, str(seconds)]
    done = subprocess.run(command, check=True, timeout=1800, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def _forward(upstream: Upstream, ours: dict[str, Ours], seconds: float, repeats: int) -> list[Row]:
    clip = draw_clip(seconds)
    runs = [Run("upstream fp32", "upstream fp32", upstream.evaluation(clip))]
    for precision, models in ours.items():
        runs.append(Run(f"ours {precision}", "upstream fp32", evaluation(models.gated, clip)))
    for precision, models in ours.items():
        for kind, model in (("gated", models.gated), ("ungated", models.ungated)):
            call = evaluation(model, clip, has_motion=True)
            runs.append(Run(f"joint {precision}, {kind}", f"ours {precision}", call))
    return _in_turns(f"one evaluation of {seconds:g} s", seconds, clip, runs, repeats, warms_up=True)


def _sampling(upstream: Upstream, ours: dict[str, Ours], seconds: float, *, steps: int, repeats: int) -> list[Row]:
    clip, runs = draw_clip(seconds), []
    for count in dict.fromkeys((steps, FAST_STEPS)):
        base = f"upstream fp32, {count} steps"
        runs.append(Run(base, f"upstream fp32, {steps} steps", upstream.sampling(clip, count)))
        for precision, models in ours.items():
            runs.append(Run(f"ours {precision}, {count} steps", base, sampling(models.gated, clip, count)))
    for precision, models in ours.items():
        call = sampling(models.gated, clip, FAST_STEPS, has_motion=True)
        runs.append(Run(f"joint {precision}, {FAST_STEPS} steps", f"ours {precision}, {FAST_STEPS} steps", call))
    return _in_turns(f"sampling of {seconds:g} s", seconds, clip, runs, repeats, warms_up=False)


def _in_turns(what: str, seconds: float, clip: Clip, runs: list[Run], repeats: int, *, warms_up: bool) -> list[Row]:
    """Time all runs one after the other, `repeats` times over, so that a slow minute hits all of them."""
    results = {run.name: run.call() for run in runs} if warms_up else {}
    best = {run.name: float("inf") for run in runs}
    for turn in range(repeats):
        for run in runs:
            started, cpu_started = time.perf_counter(), time.process_time()
            results[run.name] = run.call()
            took_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
            best[run.name] = min(best[run.name], took_s)
            # Much less CPU time than the threads could have had: something else was running.
            LOG.info("%s, turn %d of %d: %s %.2f s (CPU %.2f s)", what, turn + 1, repeats, run.name, took_s, cpu_s)
    return [_row(seconds, clip, run, best, results) for run in runs]


def _row(seconds: float, clip: Clip, run: Run, best: dict[str, float], results: dict[str, Tensor]) -> Row:
    result, base = results[run.name], results[run.base]
    differences = (result - base).abs()
    return Row(
        audio_s=seconds,
        frames=clip.frames,
        run=run.name,
        base=run.base,
        took_s=best[run.name],
        ratio=best[run.base] / best[run.name],
        max_difference=float(differences.max()),
        mean_difference=float(differences.mean()),
        is_close=torch.allclose(result, base, atol=1e-3, rtol=1e-3),
    )


if __name__ == "__main__":
    main()
