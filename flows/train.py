"""A training from data to weights: `train` reads top to bottom as it runs.

On one machine `jamdub train --config FILE`, on several GPUs `torchrun --nproc-per-node N -m flows.train --config FILE`.
"""

if __name__ == "__main__":  # Prefect reads its settings when it is imported: there they are set before that
    from flows.train_cli import main

    main()

from pathlib import Path

from prefect import flow

from schemas.settings import Settings
from storage.places import local_path
from tasks.train_clips import prepare_features, synthesise_corpus
from tasks.train_config import read_training
from tasks.train_export import export_joint
from tasks.train_networks import train_joint, train_motion
from tasks.train_plan import check_training
from tasks.train_timing import train_timing
from tasks.train_vocoder import train_vocoder


@flow(name="train")
def train(config_file: Path, out: Path | None = None) -> Path:
    """Run the stages whose tables the configuration has; each goes on where it was. Returns the folder of products.

    Args:
        config_file: TOML (docs/training.md).
        out: In place of the configuration's.
    """
    config = read_training(local_path(str(config_file), Settings()), out)
    check_training(config)
    speech = synthesise_corpus(config.synthesis) if config.synthesis else ()
    clips = prepare_features(config.features, speech)
    timing = train_timing(config, clips) if config.timing else None
    vocoder = train_vocoder(config) if config.vocoder else None
    if config.motion:
        train_motion(config, clips)
    if config.joint:
        train_joint(config, clips)
    if config.export:
        return export_joint(config, vocoder, timing)
    return config.out
