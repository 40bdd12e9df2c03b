"""LivePortrait's networks: frames a second of each, by precision and batch, and the memory of a process that runs them.

    python benchmarks/liveportrait.py FOLDER [--device cuda] [--threads 2] > table.md

FOLDER has the released layout; what its weights are does not matter to time. Each figure is the
best of four runs.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from models.liveportrait.runner import Runner, Seen
from models.liveportrait.weights import load_liveportrait

RUNS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    device = torch.device(asked.device)
    half = torch.float16 if device.type == "cuda" else torch.bfloat16
    lines = ["| precision | batch | motion | appearance | warping and decoder | whole frame, ms |", "|---" * 6 + "|"]
    for dtype in (torch.float32, half):
        runner = Runner(load_liveportrait(asked.folder), device, dtype)
        lines += [_row(runner, device, dtype, batch) for batch in asked.batches]
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write("\n".join([*lines, "", f"Peak of resident memory: {peak_mb:.0f} MB", ""]))
    if device.type == "cuda":
        sys.stdout.write(f"Peak on the GPU: {torch.cuda.max_memory_allocated() / 2**20:.0f} MB\n")


def _row(runner: Runner, device: torch.device, dtype: torch.dtype, batch: int) -> str:
    crops = np.random.default_rng(0).integers(0, 256, (batch, 256, 256, 3), dtype=np.uint8)
    seen: Seen = runner.see(crops)
    motion_s = _seconds(lambda: runner.motion(crops), device) / batch
    see_s = _seconds(lambda: runner.see(crops), device) / batch
    draw_s = _seconds(lambda: runner.draw(seen, seen.motion), device) / batch
    rates = (1 / motion_s, 1 / max(see_s - motion_s, 1e-9), 1 / draw_s)
    cells = " | ".join(f"{rate:.2f} fps" for rate in rates)
    return f"| {str(dtype).removeprefix('torch.')} | {batch} | {cells} | {1000 * (see_s + draw_s):.0f} |"


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    best = float("inf")
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - started)
    return best


if __name__ == "__main__":
    main()
