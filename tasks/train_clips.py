"""What a training learns from: synthesised speech, and the features of all clips."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event
from typing import TypeVar

from models.corpus.features import Clip, read_clip
from models.corpus.manifest import Entry, read_manifest
from models.corpus.prepare import SUFFIX, Prepared, prepare
from models.corpus.synthetic import INDEX, Narrator, synthesise
from models.jamflow.config import FRAME_RATE_HZ
from models.weights.resolve import kokoro
from schemas.errors import RequestError
from schemas.settings import Settings
from schemas.training import Features, Synthesis
from tasks.stage import long_task
from tasks.train_faces import reading_of
from tasks.train_stage import counted, say

Made = TypeVar("Made")


@long_task("synthesise-corpus")
def synthesise_corpus(synthesis: Synthesis) -> tuple[Path, ...]:
    """Speak the hours that are not there yet; returns the index of each part."""
    settings = Settings()
    weights = kokoro(settings.cache_dir, settings.models_dir).path
    done = [0.0] * synthesis.parts
    with counted("synthesise", "h") as tell:

        def speak(part: int, check: Callable[[], None]) -> Path:
            def on_progress(hours: float, _wanted: float) -> None:
                check()
                done[part] = hours
                tell(sum(done), synthesis.hours)

            return synthesise(
                narrators(synthesis, part),
                part_folder(synthesis, part),
                weights=weights,
                hours=synthesis.hours / synthesis.parts,
                seed=synthesis.seed,
                threads=1,
                on_progress=on_progress,
            )

        return side_by_side(speak, synthesis.parts)


def side_by_side(work: Callable[[int, Callable[[], None]], Made], parts: int) -> tuple[Made, ...]:
    """Run `work(part, check)` for every part, a thread each. When one fails, or a person interrupts, all end.

    `check` is to be called often: it raises CancelledError where another part has failed.

    Raises: what the first of them raised.
    """
    is_over = Event()

    def check() -> None:
        if is_over.is_set():
            raise CancelledError

    with ThreadPoolExecutor(parts) as pool:
        running = [pool.submit(work, part, check) for part in range(parts)]
        try:
            for ended in as_completed(running):
                ended.result()
        except BaseException:  # KeyboardInterrupt, too: else it waits for hours of speech
            is_over.set()
            raise
        return tuple(part.result() for part in running)


def part_folder(synthesis: Synthesis, part: int) -> Path:
    """Where a part is written."""
    return synthesis.folder / str(part)


def narrators(synthesis: Synthesis, part: int) -> list[Narrator]:
    """Every voice in every language, with the sentences that it alone reads in this part.

    Raises:
        RequestError: A file of sentences cannot be read.
    """
    step = len(synthesis.voices) + 1  # the last share of the sentences is left for evaluation
    return [
        Narrator(
            f"{name}-{language}{part}", tuple(blend.items()), language, lines[number::step][part :: synthesis.parts]
        )
        for number, name, blend, language, lines in _readings(synthesis)
    ]


def held_out(synthesis: Synthesis) -> list[Narrator]:
    """Every voice in every language, with sentences that no voice reads in training, shared out among them.

    Raises: RequestError, as above.
    """
    voices = len(synthesis.voices)
    return [
        Narrator(
            f"{name}-{language}", tuple(blend.items()), language, lines[voices :: voices + 1][number::voices], "test"
        )
        for number, name, blend, language, lines in _readings(synthesis)
    ]


def _readings(synthesis: Synthesis) -> Iterator[tuple[int, str, dict[str, float], str, tuple[str, ...]]]:
    """Number, name and blend of each voice, with each language and all its sentences."""
    texts = {language: _sentences(path) for language, path in synthesis.sentences.items()}
    for number, (name, blend) in enumerate(synthesis.voices.items()):
        for language, lines in texts.items():
            yield number, name, blend, language, lines


def _sentences(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{path} cannot be read ({error}): name a text file with a sentence a line") from error


@long_task("prepare-features")
def prepare_features(features: Features, synthetic: tuple[Path, ...]) -> tuple[Path, ...]:
    """Compute the features that are not there yet; returns the files of all clips in the order of their names.

    Where neither corpora nor synthesis are named, these are all files in the folder.
    """
    listed = entries(features, synthetic)
    if not (features.corpora or synthetic):
        return tuple(sorted(features.folder.glob(f"*{SUFFIX}")))
    with counted("prepare", "clips") as tell:
        faces = reading_of(features)
        prepared = prepare(listed, features.folder, faces=faces, workers=features.workers, on_progress=tell)
    say(told(prepared))
    return tuple(sorted(set(prepared.files)))


def entries(features: Features, synthetic: Sequence[Path]) -> list[Entry]:
    """All clips of the corpora and of synthesised speech. Raises: RequestError, where an index is wrong."""
    found: list[Entry] = []
    for corpus in features.corpora:
        found += read_manifest(corpus.index, language=corpus.language, picture_late_s=corpus.picture_late_s)
    return found + [entry for index in synthetic for entry in read_manifest(index)]


def synthetic_indices(synthesis: Synthesis | None) -> tuple[Path, ...]:
    """The indices that are there already."""
    parts = range(0 if synthesis is None else synthesis.parts)
    indices = [part_folder(synthesis, part) / INDEX for part in parts if synthesis is not None]
    return tuple(index for index in indices if index.is_file())


def told(prepared: Prepared) -> str:
    """How many clips there are, and how many were refused for which reason."""
    refused = [f"{count} refused ({reason})" for reason, count in sorted(prepared.refused.items())]
    return ", ".join([f"prepare: {len(prepared.files)} clips", *refused])


def training_clips(files: Sequence[Path], features: Features) -> list[Clip]:
    """Read the clips that are learned from: those of the training splits that are not too long."""
    clips = [clip for clip in map(read_clip, files) if is_used(clip, features)]
    if not clips:
        raise RequestError(
            f"none of {len(files)} clips in {features.folder} is of the splits {', '.join(features.splits)} and has at "
            f"most {features.longest_frames} frames: check features.splits and features.longest_frames"
        )
    return clips


def is_used(clip: Clip, features: Features) -> bool:
    """Whether a clip is learned from."""
    return clip.split in features.splits and len(clip.mel) <= features.longest_frames


def apart(clips: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Clips with a face, and clips of sound alone, whose mouth may have been imagined."""
    return [clip for clip in clips if clip.is_filmed], [clip for clip in clips if not clip.is_filmed]


def hours(clips: Sequence[Clip]) -> float:
    """How long they last together."""
    return sum(len(clip.mel) for clip in clips) / FRAME_RATE_HZ / 3600
