"""How near a generated voice is to a reference."""

from pathlib import Path

import numpy as np

from media.audio_io import resample
from models.speaker.encoder import cosine, embed
from models.speaker.mel import SAMPLE_RATE_HZ


def voice_similarity(
    generated: np.ndarray, generated_rate_hz: int, reference: np.ndarray, reference_rate_hz: int, *, encoder: Path
) -> float:
    """Cosine, -1 to 1, of the d-vectors of two mono sounds at 16 kHz; room and microphone are part of a d-vector.

    Say with every figure whether the reference is the clip itself or another of the speaker.

    Args:
        encoder: The ONNX file of the packaged speaker encoder.
    """
    first, second = (
        embed(resample(samples, rate_hz, SAMPLE_RATE_HZ), encoder=encoder)
        for samples, rate_hz in ((generated, generated_rate_hz), (reference, reference_rate_hz))
    )
    return cosine(first, second)
