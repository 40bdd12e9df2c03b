"""Training pairs from GRID: mel frames and mouth vectors of the same clip, the voice varied. Letters: see network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from media.tools import OPENS, input_name
from models.audio_to_mouth.features import mel_features
from models.audio_to_mouth.predict import MEL_PER_MOUTH, fit_length
from models.facemesh.landmarks import landmarks_of_clip
from models.facemesh.space import encode
from schemas.errors import RequestError

_NOISE_DB = (15.0, 45.0)
# Without it the network follows other mouths best when read 40 ms early: mean r of 12 real clips 0.23, not 0.18.
_PICTURE_TRAILS_FRAMES = 1


@dataclass(frozen=True)
class Clip:
    """One clip of the corpus: sound [n] at its rate, mouth [k, 12] at 25 fps, in step from time 0.

    `first_good_frame`: frames before it show no picture in the source.
    """

    name: str
    split: str
    samples: np.ndarray
    sample_rate_hz: int
    mouth: np.ndarray
    first_good_frame: int


@dataclass(frozen=True)
class Pair:
    """One training example: mel [4k, 32], mouth [k, 12], and which frames count [k]."""

    mel: np.ndarray
    mouth: np.ndarray
    counts: np.ndarray


def read_corpus(folder: Path, landmarks: Path | None) -> list[Clip]:
    """Read the clips whose face is found in every frame.

    Args:
        folder: Holds `grid_s1.jsonl` and the clips it names.
        landmarks: An .npz of {clip: [k, 478, 3]}; None makes them here (about 12 CPU minutes).

    Raises:
        RequestError: the folder is no such corpus.
    """
    index = folder / f"{folder.name}.jsonl"
    if not index.is_file():
        raise RequestError(f"{folder} has no {index.name}: name the folder of the GRID clips with --corpus")
    entries = [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines() if line.strip()]
    if landmarks is None:
        found: Mapping[str, np.ndarray | None] = {e["id"]: landmarks_of_clip(folder / e["file"]) for e in entries}
    else:
        found = dict(np.load(landmarks, allow_pickle=False))
    return [_clip(folder, entry, points) for entry in entries if (points := found.get(entry["id"])) is not None]


def _clip(folder: Path, entry: Mapping[str, object], points: np.ndarray) -> Clip:
    samples, sample_rate_hz = decode_audio(folder / str(entry["file"]))
    return Clip(
        name=str(entry["id"]),
        split=str(entry["split"]),
        samples=samples,
        sample_rate_hz=sample_rate_hz,
        mouth=encode(points).mouth[_PICTURE_TRAILS_FRAMES:],
        first_good_frame=max(0, int(str(entry["first_good_frame"])) - _PICTURE_TRAILS_FRAMES),
    )


def decode_audio(path: Path) -> tuple[np.ndarray, int]:
    """Decode the first sound track to mono float32 [n] at its own rate."""
    import av

    with av.open(input_name(path), options=OPENS) as container:
        resampler = av.AudioResampler(format="fltp", layout="mono")
        frames = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    return samples.astype(np.float32), int(frames[0].sample_rate)


def pair(clip: Clip) -> Pair:
    """The clip as it is."""
    return _paired(clip.samples, clip.sample_rate_hz, clip.mouth, clip.first_good_frame)


def varied_pair(clip: Clip, rate: float, rng: np.random.Generator) -> Pair:
    """The clip as another voice: faster by `rate` with pitch and formants raised as much, in some noise."""
    times = np.arange(int(len(clip.mouth) / rate)) * rate
    own = np.arange(len(clip.mouth))
    mouth = np.column_stack([np.interp(times, own, column) for column in clip.mouth.T]).astype(np.float32)
    level = float(np.sqrt(np.mean(clip.samples**2))) * 10.0 ** (-rng.uniform(*_NOISE_DB) / 20.0)
    noisy = clip.samples + level * rng.standard_normal(len(clip.samples)).astype(np.float32)
    return _paired(noisy, round(clip.sample_rate_hz * rate), mouth, int(np.ceil(clip.first_good_frame / rate)))


def _paired(samples: np.ndarray, sample_rate_hz: int, mouth: np.ndarray, first_good_frame: int) -> Pair:
    counts = np.arange(len(mouth)) >= first_good_frame
    mel = fit_length(mel_features(samples, sample_rate_hz), len(mouth) * MEL_PER_MOUTH)
    return Pair(mel, mouth, counts.astype(np.float32))
