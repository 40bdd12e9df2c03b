"""Speaker diarization by pyannote.audio with packaged weights. Letters: n samples, b batch, f mask frames."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.speaker.encoder import DIMENSION, embed_windows, mel_windows, unit
from models.speaker.mel import SAMPLE_RATE_HZ, log_mel
from schemas.media import TimeSpan
from schemas.speech import Turn

if TYPE_CHECKING:
    import torch
    from pyannote.audio.pipelines import SpeakerDiarization

# Cosine distance at which clusters stay apart. On 34 recordings, separated by DeepFilterNet3, 0.24 to 0.28 give the
# same best counts but for one; single voices split from 0.18 down. On raw, noisy sound 0.32 would be as safe.
CLUSTERING_THRESHOLD = 0.27
# Of the 5 s window: 0.1 costs twice as much for no better result.
SEGMENTATION_STEP = 0.2
_SHORTEST_VOICE_S = 0.5
_SHORTEST_SPEAKER_S = 1.0
_MIN_CLUSTER_SIZE = 12

# start_s, end_s, label
Stretch = tuple[float, float, Any]


def diarize(
    samples_16k: np.ndarray,
    *,
    segmentation: Path,
    encoder: Path,
    num_speakers: int | None = None,
    threads: int = 2,
) -> tuple[Turn, ...]:
    """Find who speaks when; speakers are S1, S2, … in the order in which they first speak.

    Turns of different speakers may overlap. With one speaker given, everything is one turn of S1
    and no network runs.

    Args:
        samples_16k: Mono audio [n] at 16 kHz; best the separated dialogue, for which the threshold is set.
        segmentation: Checkpoint of the PyanNet segmentation network.
        encoder: ONNX file of the speaker encoder.
        num_speakers: How many, where it is known.
        threads: Of torch and onnxruntime each.
    """
    if len(samples_16k) == 0:
        return ()
    if num_speakers == 1:
        return (Turn(speaker="S1", span=TimeSpan(start_s=0.0, end_s=len(samples_16k) / SAMPLE_RATE_HZ)),)
    import torch

    torch.set_num_threads(threads)
    pipeline = build_pipeline(segmentation, encoder, threads=threads)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statistics of very short chunks
        found: Any = pipeline(
            {"waveform": torch.from_numpy(samples_16k.astype(np.float32))[None], "sample_rate": SAMPLE_RATE_HZ},
            num_speakers=num_speakers,
        )
    annotation = found.speaker_diarization
    stretches = [(segment.start, segment.end, label) for segment, _, label in annotation.itertracks(yield_label=True)]
    return named_turns(stretches if num_speakers is not None else without_slivers(stretches))


def without_slivers(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Drop the stretches of voices heard for less than a second in all, unless there is no other voice.

    Such a voice is a slip of the clustering: it would get a voice of its own in the dub.
    """
    seconds: dict[Any, float] = {}
    for start_s, end_s, label in stretches:
        seconds[label] = seconds.get(label, 0.0) + end_s - start_s
    real = {label for label, heard_s in seconds.items() if heard_s >= _SHORTEST_SPEAKER_S}
    return [stretch for stretch in stretches if stretch[2] in real] or list(stretches)


def named_turns(stretches: Sequence[Stretch]) -> tuple[Turn, ...]:
    """Turn (start_s, end_s, label) into turns in time order, labels renamed S1, S2, … by first speech."""
    names: dict[Any, str] = {}
    turns = []
    for start_s, end_s, label in sorted(stretches, key=lambda stretch: (stretch[0], stretch[1], str(stretch[2]))):
        if end_s > max(start_s, 0.0):
            name = names.setdefault(label, f"S{len(names) + 1}")
            turns.append(Turn(speaker=name, span=TimeSpan(start_s=max(start_s, 0.0), end_s=end_s)))
    return tuple(turns)


def build_pipeline(segmentation: Path, encoder: Path, *, threads: int) -> "SpeakerDiarization":
    """Put pyannote's pipeline together from a segmentation network and our own speaker encoder.

    pyannote's default clustering needs a PLDA from a hub; the constructor is therefore told to use none,
    and its embedding and clustering are set afterwards. These attributes are private: pyannote-audio is pinned.
    """
    _quiet()
    from pyannote.audio import Audio
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.pipelines import SpeakerDiarization
    from pyannote.audio.pipelines.clustering import AgglomerativeClustering

    from models.diarization.network import load_segmentation

    pipeline = SpeakerDiarization(
        segmentation=load_segmentation(segmentation),
        segmentation_step=SEGMENTATION_STEP,
        plda=object.__new__(PLDA),
        clustering="OracleClustering",
        segmentation_batch_size=8,
        embedding_batch_size=24,
        embedding_exclude_overlap=True,
    )
    pipeline._embedding = MaskedEncoder(encoder, threads)
    pipeline._audio = Audio(sample_rate=SAMPLE_RATE_HZ, mono="downmix")
    pipeline.klustering = "AgglomerativeClustering"
    pipeline.clustering = AgglomerativeClustering(metric="cosine")
    pipeline._expects_num_speakers = False
    return pipeline.instantiate(
        {
            "clustering": {
                "method": "average",
                "min_cluster_size": _MIN_CLUSTER_SIZE,
                "threshold": CLUSTERING_THRESHOLD,
            },
            "segmentation": {"threshold": 0.5, "min_duration_off": 0.0},
        }
    )


def _quiet() -> None:
    # At import pyannote warns of a missing torchcodec, which is only needed to read files.
    warnings.filterwarnings("ignore", module="pyannote.audio.core.io")
    logging.getLogger("pyannote").setLevel(logging.ERROR)


class MaskedEncoder:
    """The speaker encoder in the form that pyannote's pipeline calls."""

    sample_rate = SAMPLE_RATE_HZ
    dimension = DIMENSION
    metric = "cosine"
    min_num_samples = int(_SHORTEST_VOICE_S * SAMPLE_RATE_HZ)

    def __init__(self, encoder: Path, threads: int) -> None:
        self._encoder = encoder
        self._threads = threads

    def to(self, _device: "torch.device") -> "MaskedEncoder":
        return self

    def __call__(self, waveforms: "torch.Tensor", masks: "torch.Tensor | None" = None) -> np.ndarray:
        """Embed waveforms [b, 1, n] where masks [b, f] are set: [b, 256], NaN where too little is."""
        chunks = waveforms.numpy()[:, 0]
        selected = [
            chunk if masks is None else chunk[_stretched(masks[index].numpy(), chunk.shape[0])]
            for index, chunk in enumerate(chunks)
        ]
        vectors = np.full((len(chunks), DIMENSION), np.nan, np.float32)
        usable = [index for index, voice in enumerate(selected) if len(voice) >= self.min_num_samples]
        if not usable:
            return vectors
        windows = [mel_windows(log_mel(_at_least_a_second(selected[index]))) for index in usable]
        embedded = embed_windows(np.concatenate(windows), encoder=self._encoder, threads=self._threads)
        ends = np.cumsum([len(part) for part in windows])
        for index, part in zip(usable, np.split(embedded, ends[:-1]), strict=True):
            vectors[index] = unit(part.mean(axis=0))
        return vectors


def _stretched(mask: np.ndarray, samples: int) -> np.ndarray:
    """A mask [f] as booleans for each of `samples` samples."""
    frames = np.minimum(np.arange(samples) * len(mask) // samples, len(mask) - 1)
    return mask[frames] > 0.5


def _at_least_a_second(voice: np.ndarray) -> np.ndarray:
    return np.pad(voice, (0, max(0, SAMPLE_RATE_HZ - len(voice))), mode="wrap")
