"""What `jamdub models` finds out: rows of known and found weights, a full check, a conversion."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from models.jamflow.checkpoint import Description, load_checkpoint, read_description, save_checkpoint
from models.jamflow.config import RELEASES
from models.jamflow.f5 import LICENCE, WEIGHTS_FILES, join_release, load_release
from models.jamflow.tokens import released_vocabulary
from models.jamflow.vocoder import CONFIG_FILE, load_vocoder
from models.liveportrait.weights import APPEARANCE, load_liveportrait
from models.liveportrait.weights import LICENCE as LIVEPORTRAIT_LICENCE
from models.motion import read_space
from models.performer.engine import load_engine
from models.performer.voice import VOICES, packaged_voices
from models.weights.files import sha256_of
from models.weights.folders import SUMS, checked, size_bytes
from models.weights.known import JAMFLOW_TINY, LIVEPORTRAIT
from models.weights.resolve import jamflow, jamflow_folder, liveportrait, speaker_encoder, status
from schemas.errors import RequestError, WeightsError
from schemas.motion import MotionSpace
from schemas.settings import Settings

_VOCOS = "vocos-mel-24khz"


@dataclass(frozen=True)
class Row:
    """One set of weights; `detail` says where a file lies or how to get it, `absent` what its absence means."""

    name: str
    is_present: bool
    size_bytes: int
    licence: str
    detail: str
    absent: str = "MISSING"


def rows(settings: Settings) -> tuple[Row, ...]:
    """Weights of the pipeline, then the joint model's checkpoints and what they are made from."""
    pipeline = (
        Row(item.name, item.present, item.size_bytes, item.licence, item.remedy)
        for item in status(settings.models_dir, settings.cache_dir)
    )
    folder = settings.models_dir
    return (
        *pipeline,
        _engine(folder),
        *_checkpoints(folder),
        *(_release(name, folder) for name in RELEASES),
        _vocos(folder),
        _liveportrait(folder),
    )


def _engine(folder: Path | None) -> Row:
    """The embedded default of engine `jamflow`, checked whole."""
    try:
        found = jamflow(folder)
    except WeightsError as error:
        return Row(JAMFLOW_TINY, False, 0, "", str(error), absent="optional")
    return Row(JAMFLOW_TINY, True, size_bytes(found.path), found.ref.licence, f"engine jamflow: {found.path}")


def _checkpoints(folder: Path | None) -> Iterator[Row]:
    for path in sorted(folder.glob("*/config.json")) if folder is not None and folder.is_dir() else ():
        if path.parent.name == JAMFLOW_TINY:
            continue
        try:
            found = read_description(path.parent)
        except WeightsError:
            continue  # another program's config.json
        yield Row(f"jamflow: {found.name}", True, found.weights_bytes, found.licence, str(path.parent))


def _release(name: str, folder: Path | None) -> Row:
    file = WEIGHTS_FILES[name]
    path = None if folder is None else folder / name / file
    is_present = path is not None and path.is_file()
    size = path.stat().st_size if path is not None and is_present else 0
    how = f"put {file} of SWivid/F5-TTS into the folder {name} of JAMDUB_MODELS_DIR, then jamdub models convert"
    return Row(f"F5-TTS {name}", is_present, size, LICENCE, str(path) if is_present else how, absent="optional")


def _vocos(folder: Path | None) -> Row:
    path = None if folder is None else folder / _VOCOS
    is_present = path is not None and (path / CONFIG_FILE).is_file()
    size = sum(file.stat().st_size for file in path.iterdir()) if path is not None and is_present else 0
    how = f"put config.yaml and pytorch_model.bin of charactr/{_VOCOS} into the folder {_VOCOS} of JAMDUB_MODELS_DIR"
    return Row(_VOCOS, is_present, size, "MIT", str(path) if is_present else how, absent="optional")


def _liveportrait(folder: Path | None) -> Row:
    """LivePortrait's files, checked against their seal."""
    try:
        found = liveportrait(folder)
    except WeightsError as error:
        return Row(LIVEPORTRAIT, False, 0, LIVEPORTRAIT_LICENCE, str(error), absent="optional")
    return Row(LIVEPORTRAIT, True, size_bytes(found.path), found.ref.licence, str(found.path))


def verified(path: Path, release: str | None) -> dict[str, str]:
    """Load weights of any of our kinds completely, and tell what they are.

    Raises:
        WeightsError: They are not whole.
        RequestError: A released file without its release.
    """
    if str(path) == JAMFLOW_TINY:
        path = jamflow_folder(Settings().models_dir)
    if not path.exists():
        raise WeightsError(f"{path} does not exist: check the path of the weights")
    if path.is_dir():
        return _kind_of(path)(path)
    if release is None:
        raise RequestError(
            f"nothing in {path.name} says which F5-TTS it is: pass --release, one of {', '.join(RELEASES)}"
        )
    network = load_release(path, release)
    return {
        "release": release,
        "parameters": _millions(network),
        "licence": LICENCE,
        "sha256": sha256_of(path),
    }


def _kind_of(folder: Path) -> Callable[[Path], dict[str, str]]:
    if (folder / CONFIG_FILE).is_file():
        return _verified_vocos
    if (folder / APPEARANCE).parent.is_dir():
        return _verified_liveportrait
    return _verified_engine if (folder / SUMS).is_file() else _verified_checkpoint


def _verified_engine(path: Path) -> dict[str, str]:
    """A sealed folder: every file, the joint model, its vocoder and its timing, the voices."""
    sha256 = checked(path)
    facts = _verified_checkpoint(path)
    load_engine(path)
    voices = packaged_voices(path / VOICES, speaker_encoder(Settings().models_dir).path)
    return {**facts, "voices": ", ".join(voice.name for voice in voices), "folder sha256": sha256}


def _verified_checkpoint(path: Path) -> dict[str, str]:
    loaded = load_checkpoint(path)
    about, space = loaded.description, loaded.description.motion_space
    return {
        "name": about.name,
        "origin": about.origin,
        "parameters": _millions(loaded.model),
        "motion space": f"{space.name}, {len(space.mouth_dims)} + {len(space.rest_dims)} numbers at {space.fps:g} fps",
        "licence": about.licence + ("" if about.commercial_use else " (not for commercial use)"),
        "sha256": about.weights_sha256,
    }


def _millions(network: nn.Module) -> str:
    return f"{sum(parameter.numel() for parameter in network.parameters()) / 1e6:.1f} M"


def _verified_vocos(path: Path) -> dict[str, str]:
    load_vocoder(path)
    return {"vocoder": "Vocos, 100 mel bands at 24 kHz", "folder": str(path)}


def _verified_liveportrait(path: Path) -> dict[str, str]:
    """The five files, every name and shape; the seal, where there is one."""
    networks = load_liveportrait(path)
    parts = {name: _millions(getattr(networks, name)) for name in ("appearance", "motion", "warping", "decoder")}
    sealed = checked(path) if (path / SUMS).is_file() else f"not sealed: jamdub models seal {path}"
    return {**parts, "licence": LIVEPORTRAIT_LICENCE, "folder sha256": sealed}


def join(source: Path, target: Path, release: str, space_name: str, seed: int) -> Description:
    """Write the joint checkpoint of a release and a new motion branch.

    Raises:
        WeightsError: The source is not what it is said to be, or the target cannot be written.
        RequestError: An unknown motion space.
    """
    space = motion_space(space_name)
    model = join_release(source, release, space, seed)
    description = Description(
        name=f"{release}+{space.name}",
        origin=f"{release} (sha256 {sha256_of(source)[:12]}…) with a new motion branch, seed {seed}: not trained",
        licence=LICENCE,
        commercial_use=False,
        config=model.config.as_json(),
        motion_space=space,
        vocabulary_sha256=released_vocabulary().sha256,
    )
    return save_checkpoint(target, model, released_vocabulary(), description)


def motion_space(name: str) -> MotionSpace:
    """The face mesh's by its name, another by its file. Raises: RequestError, where it is neither."""
    from models.facemesh.space import space

    if name == "facemesh":
        return space()
    if not Path(name).is_file():
        raise RequestError(
            f"unknown motion space {name!r}: there is facemesh, or a file that `jamdub models measure` wrote"
        )
    return read_space(Path(name))
