"""LivePortrait's networks: what a frame of each costs, by precision and batch, and the memory of each process.

    python benchmarks/liveportrait.py FOLDER [--device cuda] [--threads 1] [--runs 2] > table.md

FOLDER has the released layout; what its weights are does not matter to time. On a CPU the figures are CPU seconds,
which another program on the same cores changes little; on a GPU they are seconds. Each is the best of the runs. Every
row is a process of its own, and its memory the largest that it had.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from models.liveportrait.cost import frame_cpu_s
from models.liveportrait.weights import load_liveportrait

VOLUME, FEATURES = (32, 16, 64, 64), (256, 64, 64)
ROWS = (("float32", 1), ("float32", 8), ("half", 1), ("half", 8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--row", nargs=2, metavar=("PRECISION", "BATCH"))
    asked = parser.parse_args()
    if asked.row is not None:
        torch.set_num_threads(asked.threads)
        precision, batch = asked.row
        sys.stdout.write(_row(asked.folder, torch.device(asked.device), precision, int(batch), asked.runs))
        return
    names = "motion | appearance | warping | decoder | film | portrait | frames a second | memory"
    sys.stdout.write(f"| precision | batch | {names} |\n{'|---' * 10}|\n")
    for precision, batch in ROWS:
        command = [sys.executable, *sys.argv, "--row", precision, str(batch)]
        sys.stdout.write(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        sys.stdout.flush()
    if asked.device == "cpu":
        sys.stdout.write(f"\nTold before a run (models.liveportrait.cost): {frame_cpu_s():.1f} CPU s a frame\n")


@torch.inference_mode()
def _row(folder: Path, device: torch.device, precision: str, batch: int, runs: int) -> str:
    """Seconds a frame of every network, of a frame of a film and of a portrait; frames of a film in a second."""
    networks = load_liveportrait(folder)
    half = torch.float16 if device.type == "cuda" else torch.bfloat16
    dtype = half if precision == "half" else torch.float32
    motion = networks.motion.to(device)
    appearance, warping, decoder = (
        part.to(device, dtype) for part in (networks.appearance, networks.warping, networks.decoder)
    )
    picture = torch.rand(batch, 3, 256, 256, device=device)
    points = (torch.rand(batch, 21, 3, device=device) - 0.5).to(dtype)
    volume, features = (torch.randn(batch, *size, device=device).to(dtype) for size in (VOLUME, FEATURES))
    seconds = [
        _seconds(work, device, runs) / batch
        for work in (
            lambda: motion(picture),
            lambda: appearance(picture.to(dtype)),
            lambda: warping(volume, points, points + 0.01),
            lambda: decoder(features),
        )
    ]
    film, portrait = sum(seconds), sum(seconds[2:])
    cells = " | ".join(f"{one:.3g} s" for one in (*seconds, film, portrait))
    return (
        f"| {str(dtype).removeprefix('torch.')} | {batch} | {cells} | {1 / film:.3g} | {_memory_mb(device):.0f} MB |\n"
    )


def _memory_mb(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _seconds(work: Callable[[], object], device: torch.device, runs: int) -> float:
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    best = float("inf")
    for _ in range(runs):
        started = clock()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, clock() - started)
    return best


if __name__ == "__main__":
    main()
