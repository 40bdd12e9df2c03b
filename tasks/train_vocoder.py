"""The vocoder of a training."""

from pathlib import Path

import torch

from models.performer.engine import VOCODER
from models.vocos.config import read_config
from models.vocos.train import train_vocoder as fit_vocoder
from schemas.training import Training
from tasks.recipe import claim
from tasks.stage import long_task
from tasks.train_clips import part_folder
from tasks.train_stage import plotted, shown


@long_task("train-vocoder")
def train_vocoder(config: Training) -> Path:
    """Train, or go on; returns the folder of the exported vocoder."""
    assert config.vocoder is not None
    torch.set_num_threads(config.threads)
    folder, sizes = config.out / VOCODER, read_config(config.vocoder.config)
    claim(folder, {"vocoder": sizes.model_dump(mode="json")})
    synthetic = (
        ()
        if config.synthesis is None
        else tuple(part_folder(config.synthesis, part) for part in range(config.synthesis.parts))
    )
    with plotted(folder), shown(VOCODER) as show:
        return fit_vocoder(sizes, corpus=config.vocoder.corpus, synthetic=synthetic, out=folder, on_progress=show)
