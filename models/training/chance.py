"""Seeds of single steps: what is random in a step depends on its index alone, so that a resumed run is the same run."""

import numpy as np


def step_seed(seed: int, index: int, *keys: int) -> int:
    """A 63-bit seed of one step of one training, for `torch.manual_seed`, a torch or a numpy generator.

    Args:
        seed: Of the training, at least 0.
        index: Of the step, from 0.
        keys: To tell several sources of one step apart, such as the rank of a process.
    """
    state: int = np.random.SeedSequence([seed, index, *keys]).generate_state(1, np.uint64)[0].item()
    return state >> 1  # torch's seeds are signed
