"""Resolve weights by name to verified local paths: the models folder first, then the installed package."""

from dataclasses import dataclass
from pathlib import Path

from models.weights.files import assemble, joined_sha256, part_paths, reinstall, sha256_of
from models.weights.folders import checked
from models.weights.known import JAMFLOW_TINY, KNOWN, LIVEPORTRAIT, REPOSITORY_WEIGHTS, PackagedWeights
from schemas.artifact import ModelRef
from schemas.errors import WeightsError


@dataclass(frozen=True)
class Resolved:
    """Weights that are there and have the right hash; `path` is a file, or a directory of several."""

    ref: ModelRef
    path: Path


@dataclass(frozen=True)
class WeightStatus:
    """What `jamdub doctor` says about one set of weights; `remedy` is empty where it is present."""

    name: str
    present: bool
    size_bytes: int
    licence: str
    remedy: str


def resolve(name: str, cache_dir: Path, models_dir: Path | None = None) -> Resolved:
    """Find the weights called `name`, verify their hash, and join split files in `cache_dir`.

    Raises:
        WeightsError: Unknown, missing or altered; the message holds the command that gets them.
    """
    if name not in KNOWN:
        raise WeightsError(f"unknown weights {name!r}: known are {', '.join(sorted(KNOWN))}")
    weights = KNOWN[name]
    if models_dir is not None and (models_dir / name).is_dir():
        return Resolved(weights.ref("directory"), _in_directory(weights, models_dir / name))
    if weights.is_split:
        return Resolved(weights.ref(weights.source), assemble(weights, cache_dir))
    return Resolved(weights.ref(weights.source), _in_place(weights))


def whisper_base(cache_dir: Path, models_dir: Path | None = None) -> Resolved:
    """The directory of a CTranslate2 Whisper base: model.bin, config, tokenizer, vocabulary."""
    return resolve("whisper-base", cache_dir, models_dir)


def kokoro(cache_dir: Path, models_dir: Path | None = None) -> Resolved:
    """The directory of Kokoro-82M: model.onnx, voices_ja.npz, vocab.json."""
    return resolve("kokoro", cache_dir, models_dir)


def pyannote_segmentation(models_dir: Path | None = None) -> Resolved:
    """The file of the PyanNet segmentation checkpoint."""
    return resolve("pyannote-segmentation", Path(), models_dir)


def speaker_encoder(models_dir: Path | None = None) -> Resolved:
    """The ONNX file of the d-vector speaker encoder."""
    return resolve("speaker-encoder", Path(), models_dir)


def deepfilternet(models_dir: Path | None = None) -> Resolved:
    """The archive of the DeepFilterNet3 networks."""
    return resolve("deepfilternet3", Path(), models_dir)


def face_mesh(models_dir: Path | None = None) -> Resolved:
    """The face landmark network that mediapipe's FaceMesh runs (it finds the file itself)."""
    return resolve("mediapipe-face-mesh", Path(), models_dir)


def check_licence(ref: ModelRef, commercial: bool) -> None:
    """Raises: WeightsError, where a commercial run meets weights that forbid commercial use."""
    if commercial and not ref.commercial_use:
        raise WeightsError(
            f"the weights {ref.name} are under {ref.licence!r}, which does not allow commercial use: "
            f"run without --commercial, or choose other weights"
        )


def audio_to_mouth(models_dir: Path | None = None) -> Resolved:
    """The directory of the mouth regressor: weights.safetensors, config.json."""
    return resolve("audio-to-mouth", Path(), models_dir)


def facemesh_basis(models_dir: Path | None = None) -> Resolved:
    """The file of the facemesh motion space: its basis and canonical face."""
    return resolve("facemesh-basis", Path(), models_dir)


def jamflow(models_dir: Path | None = None) -> Resolved:
    """The folder of engine `jamflow`: a joint checkpoint, its vocoder, its timing, its voices; every hash checked.

    The models folder comes first, then the repository.

    Raises:
        WeightsError: There is none, or it is not whole.
    """
    from models.jamflow.checkpoint import read_description

    folder = jamflow_folder(models_dir)
    sha256 = checked(folder)
    source = "repository" if folder.parent == REPOSITORY_WEIGHTS else "directory"
    about = read_description(folder).ref
    named = {"name": JAMFLOW_TINY, "sha256": sha256, "revision": sha256[:12], "source": source}
    return Resolved(about.model_copy(update=named), folder)


def jamflow_folder(models_dir: Path | None) -> Path:
    """Where engine `jamflow` lies. Raises: WeightsError, where it lies nowhere."""
    places = [root / JAMFLOW_TINY for root in (models_dir, REPOSITORY_WEIGHTS) if root is not None]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise WeightsError(
            f"the weights {JAMFLOW_TINY} of engine jamflow are in none of {', '.join(map(str, places))}: run "
            f"`git checkout -- weights/{JAMFLOW_TINY}`, put such a folder into JAMDUB_MODELS_DIR, or use the cascade"
        )
    return found


def liveportrait(models_dir: Path | None) -> Resolved:
    """The folder of LivePortrait's released files, as they are published; every hash of its seal checked.

    Raises:
        WeightsError: There is none, or it is not sealed, or not whole.
    """
    folder = None if models_dir is None else models_dir / LIVEPORTRAIT
    if folder is None or not folder.is_dir():
        raise WeightsError(
            f"the weights {LIVEPORTRAIT} are not there: copy the released folder `liveportrait` into JAMDUB_MODELS_DIR "
            f"({models_dir or 'not set'}), then `jamdub models seal` it (docs/liveportrait.md)"
        )
    sha256 = checked(folder)
    ref = ModelRef(
        name=LIVEPORTRAIT,
        revision=sha256[:12],
        sha256=sha256,
        licence="MIT",
        commercial_use=True,
        source="directory",
    )
    return Resolved(ref, folder)


def status(models_dir: Path | None, cache_dir: Path) -> tuple[WeightStatus, ...]:
    """Say of all known weights whether they are there and whole. Nothing is written, `cache_dir` included."""
    del cache_dir  # what it holds is made from the packages, whose presence is what counts
    return tuple(_status_of(weights, models_dir) for weights in KNOWN.values())


def _status_of(weights: PackagedWeights, models_dir: Path | None) -> WeightStatus:
    try:
        if models_dir is not None and (models_dir / weights.name).is_dir():
            _in_directory(weights, models_dir / weights.name)
            size_bytes = sum((models_dir / weights.name / file.name).stat().st_size for file in weights.files)
        else:
            size_bytes = _verify_package(weights)
    except WeightsError as error:
        return WeightStatus(weights.name, False, 0, weights.licence, str(error))
    return WeightStatus(weights.name, True, size_bytes, weights.licence, "")


def _in_directory(weights: PackagedWeights, folder: Path) -> Path:
    for file in weights.files:
        path = folder / file.name
        if not path.is_file():
            raise WeightsError(
                f"{folder} lacks {file.name} of {weights.name}: put it there, or remove the folder and run "
                f"{weights.obtain}"
            )
        if sha256_of(path) != file.sha256:
            raise WeightsError(
                f"{path} is not the known {weights.name} (sha256 {file.sha256[:12]}… expected, "
                f"{sha256_of(path)[:12]}… found): replace it, or remove the folder and run {weights.obtain}"
            )
    return folder if weights.is_directory else folder / weights.files[0].name


def _in_place(weights: PackagedWeights) -> Path:
    _verify_package(weights)
    parts = part_paths(weights.files[0])
    assert parts is not None
    return parts[0].parent if weights.is_directory else parts[0]


def _verify_package(weights: PackagedWeights) -> int:
    """Check every packaged file of `weights`; returns their size in bytes."""
    size_bytes = 0
    for file in weights.files:
        parts = part_paths(file)
        if parts is None:
            raise WeightsError(f"the weights {weights.name} are not installed ({file.name}): {weights.obtain}")
        if joined_sha256(parts) != file.sha256:
            raise WeightsError(
                f"{file.name} of the weights {weights.name} was altered (sha256 differs): {reinstall(weights)}"
            )
        size_bytes += sum(part.stat().st_size for part in parts)
    return size_bytes
