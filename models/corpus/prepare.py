"""Features of whole corpora, in a folder where each clip has its content's name: prepared once, never twice."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from models.corpus.faces import FaceReading
from models.corpus.features import Clip, extract, key_of, read_clip
from models.corpus.manifest import Entry
from schemas.errors import MediaError

SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Prepared:
    """What came of a corpus: its clips' files in the order of the entries, and how many were refused, by reason."""

    files: tuple[Path, ...]
    refused: dict[str, int]

    def clips(self) -> list[Clip]:
        """Read them."""
        return [read_clip(file) for file in self.files]


def prepare(
    entries: Sequence[Entry],
    folder: Path,
    *,
    faces: FaceReading,
    workers: int,
    on_progress: Callable[[int, int], None],
) -> Prepared:
    """Compute the features that are not there yet, clip by clip in `workers` processes.

    A clip whose face or sound cannot be found is refused, and counted; the reason is kept beside the features, so
    that it is not tried again.

    Args:
        on_progress: Told how many clips of how many are done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outcomes = []
    # A forked process shares the locks and heaps of threads that it does not have: of PyTorch, MediaPipe, Prefect.
    with ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn")) as pool:
        for outcome in pool.map(partial(_prepare_one, folder, faces), entries, chunksize=4):
            outcomes.append(outcome)
            on_progress(len(outcomes), len(entries))
    files = tuple(outcome for outcome in outcomes if isinstance(outcome, Path))
    refused = Counter(outcome for outcome in outcomes if isinstance(outcome, str))
    return Prepared(files, dict(refused))


def _prepare_one(folder: Path, faces: FaceReading, entry: Entry) -> Path | str:
    import av
    import torch

    torch.set_num_threads(1)  # the processes share the cores
    key = key_of(entry, faces)
    path, refusal = folder / f"{key}{SUFFIX}", folder / f"{key}.refused"
    if path.is_file():
        return path
    if refusal.is_file():
        return refusal.read_text(encoding="utf-8")
    try:
        clip = extract(entry, faces)
        reason = "no face" if clip is None else ""
    except (av.FFmpegError, MediaError):
        clip, reason = None, "not decoded"
    if clip is None:
        _write(refusal, reason.encode())
        return reason
    _write(path, clip.to_bytes())
    return path


def _write(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(0o644)  # mkstemp's files are the owner's alone
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def of_split(clips: Iterable[Clip], split: str) -> list[Clip]:
    """The clips of one split."""
    return [clip for clip in clips if clip.split == split]
