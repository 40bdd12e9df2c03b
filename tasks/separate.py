"""Split the sound into dialogue and everything else (M&E)."""

import numpy as np

from models.separation.deepfilter import separate_dialogue
from models.weights.resolve import deepfilternet
from schemas.artifact import ArtifactRef
from schemas.progress import report
from schemas.stages import Stems
from tasks.stage import stage_task
from tasks.workplace import open_workplace


@stage_task("separate", version=1, weights=("deepfilternet3",))
def separate(audio: ArtifactRef, channel_layout: str) -> Stems:
    """Estimate the dialogue; M&E is the residual, so that both sum back to the source."""
    place = open_workplace()
    weights = deepfilternet(place.settings.models_dir)
    samples, sample_rate_hz = place.samples(audio)
    dialogue = separate_dialogue(
        samples,
        sample_rate_hz,
        lfe_channel=lfe_channel(channel_layout),
        threads=place.settings.threads,
        model=weights.path,
        on_progress=lambda done, total: report("separate", done, total),
    )
    background = samples - dialogue
    return Stems(
        dialogue=place.put_samples(dialogue, sample_rate_hz),
        background=place.put_samples(background, sample_rate_hz),
        null_test_db=_null_test_db(samples, dialogue + background),
        model=weights.ref,
    )


def lfe_channel(channel_layout: str) -> int | None:
    """Index of the low-frequency channel: the fourth of every layout of ffmpeg that ends in `.1`."""
    return 3 if ".1" in channel_layout and channel_layout[0] in "3567" else None


def _null_test_db(source: np.ndarray, rebuilt: np.ndarray) -> float:
    error, level = (float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) for x in (source - rebuilt, source))
    return float(20 * np.log10(max(error, 1e-12) / max(level, 1e-12)))
