"""Perform trials clip by clip, and measure what was made; both go on where they stopped."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from media.audio_io import read_audio, resample, to_mono
from models.audio_to_mouth.corpus import decode_audio
from models.corpus.faces import face_mesh_reading
from models.corpus.features import Clip, read_clip
from models.corpus.manifest import Entry, read_manifest
from models.corpus.prepare import prepare
from models.evaluation.scores import Truth, score_mouth, score_sound, score_sync
from models.evaluation.statistics import summarise
from models.evaluation.trials import TRIALS, Recording, attempt, timed, trial_of
from models.evaluation.words import word_error_rate
from models.jamflow.config import FRAME_RATE_HZ, HOP_SAMPLES, SAMPLE_RATE_HZ
from models.motion import Motion
from models.performer.engine import Engine, load_engine
from models.performer.perform import Performance, usual_sampling
from models.weights.resolve import jamflow, speaker_encoder
from schemas.errors import RequestError
from schemas.evaluation import ClipScores, EvaluationRequest, EvaluationRow, Measure
from schemas.progress import report
from schemas.settings import Settings
from storage.files import write_whole
from tasks.recipe import claim
from tasks.stage import long_task
from tasks.transcribe import heard_text

SOUND, MOUTH, SCORES, SECONDS = ".wav", ".safetensors", ".json", ".seconds"
RECORDINGS = "recording"


@dataclass(frozen=True)
class Material:
    """The clips of an evaluation, with a recording of each one's speaker that is none of them."""

    clips: tuple[Recording, ...]
    entries: tuple[Entry, ...]
    voices: tuple[Recording, ...]

    @property
    def has_faces(self) -> bool:
        """Whether all clips show a face."""
        return all(len(own.clip.mouth) for own in self.clips)

    def trials(self, asked: Sequence[str]) -> tuple[str, ...]:
        """Those asked for, or all that these clips allow. Raises: RequestError, where one needs faces that are not."""
        possible = [name for name, trial in TRIALS.items() if self.has_faces or not trial.needs_face]
        for name in asked:
            if name not in possible:
                raise RequestError(f"trial {name} needs films of faces, and these clips are sound alone: leave it out")
        return tuple(asked or possible)


def claim_outputs(request: EvaluationRequest, weights_sha256: str) -> None:
    """Make sure that what the folder holds was performed by these weights on these clips, in the same way.

    Raises:
        RequestError: It was not; the error names the first difference.
    """
    asked = request.model_dump(mode="json", exclude={"out", "trials", "systems"})
    asked["manifest"] = str(Path(request.manifest).resolve())
    claim(Path(request.out), {**asked, "weights": weights_sha256})


def gather(request: EvaluationRequest) -> Material:
    """Read the clips, and compute their features where that has not been done.

    Raises:
        RequestError: The manifest is wrong, or has no clip in the split, or none for voices.
    """
    listed = read_manifest(Path(request.manifest), language=request.language, picture_late_s=request.picture_late_s)
    entries = [entry for entry in listed if entry.split == request.split][: request.clips]
    if not entries:
        raise RequestError(f"{request.manifest} has no clip of the split {request.split!r}: check --split")
    voices = [_voice(entry, listed, request.voice_split) for entry in entries]
    wanted = {entry.id: entry for entry in (*entries, *voices)}
    read = _recordings(list(wanted.values()), Path(request.out) / "features")
    kept = [(entry, voice) for entry, voice in zip(entries, voices, strict=True) if {entry.id, voice.id} <= read.keys()]
    return Material(
        tuple(read[entry.id] for entry, _ in kept),
        tuple(entry for entry, _ in kept),
        tuple(read[voice.id] for _, voice in kept),
    )


def _voice(entry: Entry, listed: Sequence[Entry], split: str) -> Entry:
    for other in listed:
        if other.split == split and other.speaker == entry.speaker and other.id != entry.id:
            return other
    raise RequestError(
        f"no clip of the split {split!r} is of {entry.id}'s speaker {entry.speaker}: check --voice-split"
    )


def _recordings(entries: Sequence[Entry], folder: Path) -> dict[str, Recording]:
    prepared = prepare(
        entries,
        folder,
        faces=face_mesh_reading(),
        workers=1,
        on_progress=lambda done, of: report("features", done, of, "clips"),
    )
    clips = [read_clip(path) for path in prepared.files]
    of = {entry.id: entry for entry in entries}
    kept = [clip for clip in clips if len(clip.mouth) or not of[clip.id].has_face]
    return {clip.id: Recording(clip, _sound(of[clip.id].file, clip)) for clip in kept}


def _sound(path: Path, clip: Clip) -> np.ndarray:
    """A clip's sound, cut or filled up to its features' length."""
    samples, rate_hz = decode_audio(path)
    wave = resample(samples, rate_hz, SAMPLE_RATE_HZ)[: len(clip.mel) * HOP_SAMPLES]
    return np.pad(wave, (0, len(clip.mel) * HOP_SAMPLES - len(wave))).astype(np.float32)


@long_task("perform-trial")
def perform_trial(name: str, request: EvaluationRequest, material: Material, engine: Engine) -> Path:
    """Perform one trial on all clips; what is there already is kept. Returns its folder."""
    folder = Path(request.out) / name
    folder.mkdir(parents=True, exist_ok=True)
    sampling = usual_sampling(request.steps, request.guidance)
    for index, own in enumerate(material.clips):
        if not (folder / f"{own.clip.id}{SECONDS}").is_file():
            began = time.process_time()
            other = material.clips[(index + 1) % len(material.clips)]
            made = attempt(
                engine, trial_of(name), own, other, material.voices[index], sampling, seed=request.seed + index
            )
            _write(folder, own.clip.id, made, time.process_time() - began)
        report(name, index + 1, len(material.clips), "clips")
    return folder


def _write(folder: Path, clip: str, made: Performance, seconds: float) -> None:
    """Sound, mouth, and, last, what it cost: a clip is there when that is."""
    if made.samples is not None:
        _write_sound(folder / f"{clip}{SOUND}", made.samples)
    if made.motion is not None:
        (folder / f"{clip}{MOUTH}").write_bytes(made.motion.to_bytes())
    (folder / f"{clip}{SECONDS}").write_text(f"{seconds:.3f}\n", encoding="utf-8")


def _write_sound(path: Path, samples: np.ndarray) -> None:
    import soundfile

    sound = BytesIO()
    soundfile.write(sound, samples, SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")
    write_whole(path, sound.getvalue())


@long_task("keep-recordings")
def keep_recordings(request: EvaluationRequest, material: Material) -> Path:
    """Write the recordings themselves as a row: what the measures say of the truth is their ceiling."""
    folder = Path(request.out) / RECORDINGS
    folder.mkdir(parents=True, exist_ok=True)
    for path, own in ((folder / f"{own.clip.id}{SOUND}", own) for own in material.clips):
        if not path.is_file():  # written anew, it would be measured anew
            _write_sound(path, own.samples)
    return folder


@long_task("score-row")
def score_row(name: str, about: str, folder: Path, request: EvaluationRequest, material: Material) -> EvaluationRow:
    """Measure what a folder holds of the clips. Raises: RequestError, where it holds none of them."""
    kept = Path(request.out) / "scores" / name
    kept.mkdir(parents=True, exist_ok=True)
    scored = []
    for index, (own, entry) in enumerate(zip(material.clips, material.entries, strict=True)):
        values = _scored(folder, kept, own, entry)
        if values is not None:
            aperture = _aperture(name, folder, own)
            scored.append(ClipScores(clip=entry.id, text=entry.text, values=values, aperture=aperture))
        report(f"score {name}", index + 1, len(material.clips), "clips")
    if not scored:
        raise RequestError(f"{folder} holds no output for any of the clips: name files after them, CLIP{SOUND}")
    names = list(dict.fromkeys(key for own in scored for key in own.values))
    return EvaluationRow(
        name=name,
        about=about,
        clips=tuple(scored),
        measures={
            measure: _summary([own.values[measure] for own in scored if measure in own.values]) for measure in names
        },
        seconds_per_second=_speed(folder, material),
    )


def _scored(folder: Path, kept: Path, own: Recording, entry: Entry) -> dict[str, float] | None:
    """One clip's measures, from before where its files are the same."""
    sound, mouth = folder / f"{entry.id}{SOUND}", folder / f"{entry.id}{MOUTH}"
    if not sound.is_file() and not mouth.is_file():
        return None
    stamp = [path.stat().st_mtime_ns for path in (sound, mouth) if path.is_file()]
    path = kept / f"{entry.id}{SCORES}"
    if path.is_file() and (before := json.loads(path.read_text(encoding="utf-8")))["stamp"] == stamp:
        return dict(before["values"])
    truth = _truth(own, entry)
    values: dict[str, float] = {}
    heard, seen = own.samples, own.clip.mouth
    if sound.is_file():
        heard = _heard(sound, own)
        values |= score_sound(heard, truth, encoder=_encoder(), word_error_rate=_word_error_rate(entry))
    if mouth.is_file():
        seen = Motion.from_bytes(mouth.read_bytes()).z_scored()[0]
        values |= score_mouth(seen, truth) if len(truth.mouth) else {}
    if len(seen):
        values |= score_sync(heard, seen, truth.visible if len(truth.mouth) else np.ones(len(seen)))
    write_whole(path, (json.dumps({"stamp": stamp, "values": values}) + "\n").encode())
    return values


def _aperture(row: str, folder: Path, own: Recording) -> tuple[float, ...]:
    """How open the row's mouth is, for the page's curves."""
    if row == RECORDINGS:
        mouth = own.clip.mouth
    elif (path := folder / f"{own.clip.id}{MOUTH}").is_file():
        mouth = Motion.from_bytes(path.read_bytes()).z_scored()[0]
    else:
        return ()
    return tuple(round(value, 2) for value in mouth[:, 0].tolist())


def _heard(path: Path, own: Recording) -> np.ndarray:
    samples, rate_hz = read_audio(path)
    wave = resample(to_mono(samples), rate_hz, SAMPLE_RATE_HZ)[: len(own.samples)]
    return np.pad(wave, (0, len(own.samples) - len(wave))).astype(np.float32)


def _encoder() -> Path:
    return speaker_encoder(Settings().models_dir).path


def _word_error_rate(entry: Entry) -> Callable[[np.ndarray, str], float]:
    language = entry.language.split("-")[0]

    def measured(samples: np.ndarray, text: str) -> float:
        return word_error_rate(text, heard_text(samples, SAMPLE_RATE_HZ, language, Settings()), language)

    return measured


def _truth(own: Recording, entry: Entry) -> Truth:
    return Truth(
        samples=own.samples,
        text=entry.text,
        words=[(word.text, word.span) for word in entry.words],
        phones=timed(own.clip.phones, own.clip.edges_s),
        mouth=own.clip.mouth,
        visible=own.clip.visible,
    )


def _summary(values: Sequence[float]) -> Measure:
    found = summarise(values)
    return Measure(n=found.n, mean=found.mean, median=found.median, low=found.low, high=found.high)


def _speed(folder: Path, material: Material) -> float | None:
    """Processor seconds for a second made."""
    files = [folder / f"{own.clip.id}{SECONDS}" for own in material.clips]
    taken = [float(path.read_text(encoding="utf-8")) for path in files if path.is_file()]
    made_s = sum(len(own.clip.mel) / FRAME_RATE_HZ for own in material.clips)
    return sum(taken) / made_s if len(taken) == len(files) else None


def open_weights() -> tuple[Engine, str, str]:
    """The engine, its name and its hash.

    Raises:
        WeightsError: It is missing or altered.
        RequestError: It moves faces in another space than that in which the truth is read and mouths are measured.
    """
    found = jamflow(Settings().models_dir)
    engine = load_engine(found.path)
    space = engine.joint.description.motion_space
    if space != face_mesh_reading().space:
        raise RequestError(
            f"{found.path} moves faces in the space {space.name!r}, and evaluation measures the face mesh's: "
            f"choose weights that were trained in that"
        )
    return engine, found.ref.name, found.ref.sha256
