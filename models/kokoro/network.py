"""Kokoro-82M under onnxruntime: int8, deterministic (the graph draws no noise), about 0.8 CPU seconds a second."""

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from schemas.errors import RequestError, WeightsError

SAMPLE_RATE_HZ = 24_000
FRAME_SAMPLES = 600  # the model's durations are whole frames of 25 ms
LONGEST_TOKENS = 508  # its position table ends at 510, and both ends are padded

_NATURAL_FRAMES = "/encoder/predictor/ReduceSum_output_0"  # before division by the speed and rounding
Blend = Sequence[tuple[str, float]]


class Kokoro:
    """The loaded model; make it with `load_kokoro`."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._audio = _session((folder / "model.onnx").read_bytes(), threads)
        self._durations = _session(_duration_predictor(folder / "model.onnx"), threads)
        self._vocabulary = dict(json.loads((folder / "vocab.json").read_text(encoding="utf-8"))["vocab"])
        self._styles = _styles(folder / "voices_ja.npz")

    @property
    def voices(self) -> tuple[str, ...]:
        return tuple(sorted(self._styles))

    def tokens(self, phonemes: str) -> list[int]:
        """Number the letters; those that the vocabulary lacks are left out."""
        return [self._vocabulary[letter] for letter in phonemes if letter in self._vocabulary]

    def speak(self, phonemes: str, blend: Blend, speed: float) -> np.ndarray:
        """Return mono float32 [n] at 24 kHz, with the model's own silence before and after."""
        inputs = {**self._inputs(phonemes, blend), "speed": np.array([speed], np.float32)}
        samples: np.ndarray = self._audio.run(["audio"], inputs)[0].ravel()
        return samples.astype(np.float32)

    def natural_frames(self, phonemes: str, blend: Blend) -> np.ndarray:
        """Return how many frames each token (padding included) lasts at speed 1, not yet rounded: [k] float.

        At another speed it is `max(1, round(natural / speed))`, exactly what `speak` will make.
        """
        frames: np.ndarray = self._durations.run(None, self._inputs(phonemes, blend))[0].ravel()
        return frames.astype(np.float64)

    def _inputs(self, phonemes: str, blend: Blend) -> dict[str, np.ndarray]:
        tokens = self.tokens(phonemes)
        if not 0 < len(tokens) <= LONGEST_TOKENS:
            raise ValueError(f"{len(tokens)} phonemes, the model takes 1 to {LONGEST_TOKENS}: {phonemes[:60]!r}")
        style = sum(weight * self._style(voice)[len(tokens) - 1] for voice, weight in blend)
        return {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": np.asarray(style, np.float32).reshape(1, -1),
        }

    def _style(self, voice: str) -> np.ndarray:
        if voice not in self._styles:
            raise RequestError(f"no packaged voice is called {voice!r}: choose from {', '.join(self.voices)}")
        return self._styles[voice]


@functools.lru_cache(maxsize=1)
def load_kokoro(weights: Path, threads: int) -> Kokoro:
    """Load the model once per process.

    Args:
        weights: The folder of model.onnx, voices_ja.npz and vocab.json.

    Raises:
        WeightsError: they are not there, or are no Kokoro model.
    """
    from google.protobuf.message import DecodeError
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf

    try:
        return Kokoro(weights, threads)
    except (OSError, ValueError, KeyError, DecodeError, Fail, InvalidGraph, InvalidProtobuf) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{weights} does not hold the Kokoro model ({reason}): delete it and run again") from error


def _session(model: bytes, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])


def _duration_predictor(model: Path) -> bytes:
    """Cut the part of the graph that says how long each token lasts: 15 MB, a hundredth of the work."""
    import onnx

    extractor = onnx.utils.Extractor(onnx.load(model))
    part: bytes = extractor.extract_model(["tokens", "style"], [_NATURAL_FRAMES]).SerializeToString()
    return part


def _styles(file: Path) -> dict[str, np.ndarray]:
    """Return {voice: [510, 256]}: one style vector for each length of a text in tokens."""
    with np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name].reshape(-1, 256) for name in arrays.files}
