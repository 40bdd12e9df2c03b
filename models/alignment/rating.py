"""Log-probabilities of frames, as the searches take them."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from models.alignment.network import FrameClassifier


def log_probabilities(network: "FrameClassifier", frames: np.ndarray) -> np.ndarray:
    """Rate frames [n, inputs]: natural log-probabilities of the classes [n * upsample, classes], float64."""
    import torch

    network.eval()
    with torch.inference_mode():
        logits = network(torch.from_numpy(np.ascontiguousarray(frames, np.float32))[None])[0]
        rated: np.ndarray = logits.double().log_softmax(dim=1).numpy()
    return rated
