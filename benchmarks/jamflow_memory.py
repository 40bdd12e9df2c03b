"""How much memory one side of benchmarks/jamflow.py takes, in a process of its own; prints JSON.

    .venv-bench/bin/python benchmarks/jamflow_memory.py WEIGHTS SIDE SECONDS

SIDE is upstream, or fp32 or bf16 for ours, with `+motion` for the joint model.
"""

import json
import resource
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from jamflow_ours import Clip, draw_clip, evaluation, load_ours
from torch import Tensor


def main() -> None:
    weights, side, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    torch.set_num_threads(2)
    load = _loader(side)
    # What is held, not the peak: a process' peak starts at that of the process that started it.
    imports_mb = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
    run = load(weights)(draw_clip(seconds))
    loading_mb = _peak_mb()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here (Linux)
    run()
    sys.stdout.write(json.dumps({"imports": imports_mb, "loading": loading_mb, "evaluation": _peak_mb()}))


def _loader(side: str) -> Callable[[Path], Callable[[Clip], Callable[[], Tensor]]]:
    if side == "upstream":
        from f5_upstream import Upstream  # its imports are a part of its memory, and of its alone

        return lambda weights: Upstream(weights).evaluation
    precision, _, motion = side.partition("+")
    return lambda weights: partial(
        evaluation, load_ours(weights, precision, has_motion=bool(motion)).gated, has_motion=bool(motion)
    )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
