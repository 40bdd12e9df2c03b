"""Which speech the vocoder learns from, and which is kept to measure it on.

Openly licensed speech only: GRID speaker 1 (CC BY 4.0), LJSpeech (public domain), LibriSpeech (CC BY 4.0), and speech
that Kokoro synthesised (Apache-2.0).
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from models.vocos.speech import Recording
from schemas.errors import RequestError

_KEPT_OUT = 20  # of LJSpeech, which has no split: its last ones
_TRAIN_SUBSET = "train-clean-100"


def training_speech(corpus: Path, synthetic: Iterable[Path]) -> list[Recording]:
    """The training splits of the real corpora, then synthetic speech in folders named for their index.

    Args:
        corpus: Folder with `grid_s1`, `ljspeech`, `librispeech`.
        synthetic: Folders of files with a `.jsonl` beside them; one that is not there yet gives nothing.

    Raises:
        RequestError: A corpus lacks its index.
    """
    grid = [entry for entry in _entries(corpus / "grid_s1") if entry["split"] == "train"]
    lj = _entries(corpus / "ljspeech")[:-_KEPT_OUT]
    libri = [entry for entry in _entries(corpus / "librispeech") if entry["subset"] == _TRAIN_SUBSET]
    real = {"grid_s1": grid, "ljspeech": lj, "librispeech": libri}
    found = [_recording(corpus / source, entry) for source, entries in real.items() for entry in entries]
    for folder in synthetic:
        found += _synthetic(folder)
    return found


def held_out_speech(corpus: Path) -> list[Recording]:
    """Real speech that `training_speech` leaves out: GRID's test split and the last clips of LJSpeech."""
    grid = [entry for entry in _entries(corpus / "grid_s1") if entry["split"] == "test"]
    kept = {"grid_s1": grid, "ljspeech": _entries(corpus / "ljspeech")[-_KEPT_OUT:]}
    return [_recording(corpus / source, entry) for source, entries in kept.items() for entry in entries]


def _synthetic(folder: Path) -> list[Recording]:
    """Only what is written whole: an index grows as its files do."""
    found = []
    for index in sorted(folder.glob("*.jsonl")):
        for line in index.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                entry = json.loads(line)
                if entry.get("split", "train") == "train" and (folder / entry["file"]).is_file():
                    found.append(Recording(entry["id"], "kokoro", folder / entry["file"], entry.get("text", "")))
    return found


def _entries(folder: Path) -> list[Mapping[str, Any]]:
    index = folder / f"{folder.name}.jsonl"
    if not index.is_file():
        raise RequestError(f"{folder} has no {index.name}: name the folder that holds grid_s1, ljspeech, librispeech")
    return [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines() if line.strip()]


def _recording(folder: Path, entry: Mapping[str, Any]) -> Recording:
    return Recording(entry["id"], folder.name, folder / entry["file"], entry["text"])
