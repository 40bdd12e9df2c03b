"""What a training will do, what of it is done already, and whether it can: told before hours are spent."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from models.corpus.features import key_of
from models.corpus.manifest import Entry
from models.corpus.prepare import SUFFIX
from models.jamflow.joint import JamFlow
from models.jamflow.vocoder import load_vocoder
from models.kokoro.languages import VOICES, resolve_language
from models.performer.engine import load_timing
from models.vocos.config import read_config
from models.vocos.corpora import training_speech
from models.weights.resolve import kokoro
from schemas.errors import RequestError
from schemas.settings import Settings
from schemas.training import StageCourse, Synthesis, Training
from tasks.train_clips import apart, entries, hours, narrators, synthetic_indices, training_clips
from tasks.train_export import EXPORT, check_card
from tasks.train_faces import reading_of, space_of
from tasks.train_networks import JOINT, MOTION, faces_of
from tasks.train_parts import autocast_of, network_of, with_features
from tasks.train_stage import device
from tasks.train_timing import DURATIONS, MOUTH, TIMING
from tasks.train_vocoder import VOCODER


@dataclass(frozen=True)
class Row:
    """One stage: what it will do, and what of that is there."""

    stage: str
    asked: str
    there: str


def check_training(config: Training) -> tuple[Entry, ...]:
    """Find what would stop a training later; returns the clips that are listed already.

    Raises:
        RequestError: A file is missing or wrong, a language or voice is not known, the terms contradict each other.
        WeightsError: Weights to begin with are missing or wrong.
    """
    listed = tuple(entries(config.features, synthetic_indices(config.synthesis)))
    _check_files(listed)
    for language in sorted({entry.language for entry in listed if entry.words and not entry.phones}):
        resolve_language(language)
    if config.synthesis is not None:
        _check_synthesis(config.synthesis)
    if not (config.features.corpora or config.synthesis or _prepared(config)):
        raise RequestError(
            f"{config.features.folder} holds no features, and neither [[features.corpora]] nor [synthesis] says where "
            f"they come from: name one"
        )
    if config.vocoder is not None:
        read_config(config.vocoder.config)
        training_speech(config.vocoder.corpus, ())
    space_of(config.features)
    if any(entry.has_face for entry in listed):
        reading_of(config.features)
    if config.motion is not None or config.joint is not None:
        network_of(config)
    if config.export is not None:
        check_card(config, config.export)
        if config.export.vocoder is not None and config.vocoder is None:
            load_vocoder(config.export.vocoder)
        if config.export.timing is not None and config.timing is None:
            load_timing(config.export.timing)
    _check_writable(config.out)
    return listed


def _check_files(listed: Sequence[Entry]) -> None:
    missing = [entry.file for entry in listed if not entry.file.is_file()]
    if missing:
        raise RequestError(f"{len(missing)} of {len(listed)} clips are missing, {missing[0]} first: copy them there")


def _check_synthesis(synthesis: Synthesis) -> None:
    for language in synthesis.sentences:
        resolve_language(language)
    for name, blend in synthesis.voices.items():
        if unknown := blend.keys() - set(VOICES):
            raise RequestError(
                f"voice {name} has {sorted(unknown)[0]!r}: Kokoro's packaged ones are {', '.join(VOICES)}"
            )
    narrators(synthesis, 0)
    settings = Settings()
    kokoro(settings.cache_dir, settings.models_dir)


def _check_writable(folder: Path) -> None:
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise RequestError(f"{folder} cannot be made, as {there} is not to be written to: choose another --out")


def plan(config: Training) -> tuple[Row, ...]:
    """All stages, in order. Raises: as `check_training`, and RequestError, where prepared clips do not suffice."""
    listed = check_training(config)
    return tuple(_rows(config, listed))


def precision_of(config: Training) -> str:
    """What matrix products will be taken in, and why not as asked."""
    place = device()
    if autocast_of(config, place) is not None or config.precision == "float32":
        return f"{config.precision} on {place}, {config.threads} thread(s)"
    return f"float32 on {place}, {config.threads} thread(s): this processor has no bfloat16, which was asked for"


def _rows(config: Training, listed: Sequence[Entry]) -> Iterator[Row]:
    if config.synthesis is not None:
        voices, languages = len(config.synthesis.voices), ", ".join(config.synthesis.sentences)
        asked = f"{config.synthesis.hours:g} h by {voices} voice(s) in {languages}"
        yield Row("synthesise", asked, f"{_spoken_h(config.synthesis):.2f} h")
    files = _files_of(config, listed)
    yield Row("prepare", f"{len(listed) or len(files)} clips listed", f"{len(files)} prepared")
    if files:
        faces, sounds = apart(training_clips(files, config.features))
        used = f"{len(faces)} with a face ({hours(faces):.2f} h), {len(sounds)} of sound ({hours(sounds):.2f} h)"
        if imagined := sum(clip.is_imagined for clip in sounds):
            used += f", {imagined} of them with an imagined mouth"
        yield Row("clips", used, f"splits {', '.join(config.features.splits)}")
        if config.motion is not None or config.joint is not None:
            faces_of(faces)
    if config.timing is not None:
        asked = f"{config.timing.duration_epochs} epochs of durations, {config.timing.mouth_steps} steps of mouths"
        names = [name for name in (DURATIONS, MOUTH) if (config.out / TIMING / name).exists()]
        yield Row(TIMING, asked, ", ".join(names) or "nothing")
    if config.vocoder is not None:
        asked = f"{read_config(config.vocoder.config).steps} steps"
        yield Row(VOCODER, asked, _done(config.out / VOCODER))
    yield from _network_rows(config)
    if config.export is not None:
        terms = f"{config.export.licence}, {'' if config.export.commercial_use else 'not '}for commercial use"
        folder = config.out / EXPORT
        yield Row("export", f"{config.export.name}, {terms}", str(folder) if folder.exists() else "nothing")


def _network_rows(config: Training) -> Iterator[Row]:
    if config.motion is None and config.joint is None:
        return
    network = network_of(config)[0]
    with torch.device("meta"):
        joint, alone = JamFlow(network), JamFlow(with_features(network)).motion
    if config.motion is not None:
        yield Row(MOTION, f"{_course(config.motion)}, {_millions(alone)} parameters", _done(config.out / MOTION))
    if config.joint is not None:
        sound = f" of faces, {config.joint.sound_frames} of sound, {_millions(joint)} parameters"
        yield Row(JOINT, _course(config.joint) + sound, _done(config.out / JOINT))


def _course(course: StageCourse) -> str:
    return f"{course.steps} steps of {course.frames} frames"


def _millions(network: torch.nn.Module) -> str:
    return f"{sum(parameter.numel() for parameter in network.parameters()) / 1e6:.1f} M"


def _done(folder: Path) -> str:
    steps = [int(path.stem.removeprefix("step-")) for path in folder.glob("step-*.pt")]
    return f"{max(steps)} steps" if steps else "nothing"


def _prepared(config: Training) -> tuple[Path, ...]:
    return tuple(sorted(config.features.folder.glob(f"*{SUFFIX}")))


def _files_of(config: Training, listed: Sequence[Entry]) -> tuple[Path, ...]:
    if not (config.features.corpora or config.synthesis):
        return _prepared(config)
    faces = reading_of(config.features)
    paths = {config.features.folder / f"{key_of(entry, faces)}{SUFFIX}" for entry in listed}
    return tuple(sorted(path for path in paths if path.is_file()))


def _spoken_h(synthesis: Synthesis) -> float:
    lines = [line for index in synthetic_indices(synthesis) for line in index.read_text(encoding="utf-8").splitlines()]
    return sum(float(json.loads(line)["duration_s"]) for line in lines) / 3600
