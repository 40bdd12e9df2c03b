"""LivePortrait's motion space measured on a corpus: what a training in it begins with."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from models.corpus.faces import clip_expressions, film_of
from models.corpus.manifest import read_manifest
from models.facemesh.landmarks import landmarks_of_clip
from models.liveportrait.reading import read_with
from models.liveportrait.space import measured_space
from models.liveportrait.weights import load_motion
from models.weights.resolve import liveportrait
from schemas.errors import RequestError
from schemas.motion import MotionSpace
from schemas.settings import Settings
from storage.files import write_whole


def measure_space(
    index: Path, out: Path, rows: Sequence[int], films: int, on_progress: Callable[[int, int], None]
) -> MotionSpace:
    """Read films of a corpus's training split, evenly chosen, and write the space in which they have mean 0.

    Args:
        rows: The keypoints that are the mouth.
        films: At most so many are read.

    Raises:
        RequestError: The corpus has no films of a face, or cannot be read.
        WeightsError: LivePortrait's weights are missing or altered.
    """
    entries = [entry for entry in read_manifest(index) if entry.has_face and entry.split == "train"]
    if not entries:
        raise RequestError(f"{index} has no film of the split 'train': name a corpus of films")
    settings = Settings()
    torch.set_num_threads(settings.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    read = read_with(load_motion(liveportrait(settings.models_dir).path), device)
    places = np.unique(np.linspace(0, len(entries) - 1, films).astype(int))
    found = []
    for done, place in enumerate(places, start=1):
        points = landmarks_of_clip(entries[place].file)
        if points is not None:
            found.append(clip_expressions(read, film_of(entries[place].file), points))
        on_progress(done, len(places))
    space = measured_space([one[np.isfinite(one[:, 0, 0])] for one in found], rows)
    write_whole(out, f"{space.model_dump_json(indent=1)}\n".encode())
    return space
