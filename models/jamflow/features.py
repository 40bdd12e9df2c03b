"""Stage 1's audio features at motion rate: wav2vec2's hidden states, or log-mel where no wav2vec2 is to be had.

Letters: k feature frames, m motion frames, f width.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError
from torch import Tensor

from media.audio_io import resample
from models.jamflow.config import SAMPLE_RATE_HZ
from models.jamflow.mel import mel_spectrogram
from schemas.errors import RequestError, WeightsError

WAV2VEC2_RATE_HZ = 16_000
_FILES = ("config.json", "model.safetensors")
_EPS = 1e-7
_DAMAGE = (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError)


def at_motion_rate(features: Float[Tensor, "k f"], motion_frames: int) -> Float[Tensor, "m f"]:
    """Read features that span the same time at the middle of each motion frame, linearly between their own."""
    middles = (torch.arange(motion_frames, dtype=torch.float64) + 0.5) * (len(features) / motion_frames) - 0.5
    places = middles.clamp(0, len(features) - 1)
    before = places.floor().long()
    after = (before + 1).clamp(max=len(features) - 1)
    return torch.lerp(features[before], features[after], (places - before)[:, None].to(features.dtype))


def log_mel_features(wave: Float[Tensor, " n"], motion_frames: int) -> Float[Tensor, "m f"]:
    """The mel frames of a sound at 24 kHz, in the network's own units. Raises: RequestError, where it is too short."""
    return at_motion_rate(mel_spectrogram(wave[None])[0], motion_frames)


@dataclass(frozen=True)
class Wav2Vec2:
    """A wav2vec2 network in eval mode."""

    network: Any

    @property
    def width(self) -> int:
        return int(self.network.config.hidden_size)

    @torch.inference_mode()
    def features(self, wave: Float[Tensor, " n"], motion_frames: int) -> Float[Tensor, "m f"]:
        """The last hidden states (50 Hz) of a sound at 24 kHz. Raises: RequestError, where it is too short."""
        samples = resample(wave.cpu().numpy(), SAMPLE_RATE_HZ, WAV2VEC2_RATE_HZ)
        # As the published models were trained: each sound with mean 0 and variance 1.
        normal = (samples - samples.mean()) / np.sqrt(samples.var() + _EPS)
        try:
            hidden = self.network(torch.from_numpy(normal)[None]).last_hidden_state[0]
        except RuntimeError as error:  # its convolutions leave no frame
            raise RequestError(
                f"a sound of {len(wave)} samples is too short for wav2vec2: give at least 25 ms"
            ) from error
        return at_motion_rate(hidden.float(), motion_frames)


def load_wav2vec2(folder: Path) -> Wav2Vec2:
    """Load a local directory in the published layout: config.json and model.safetensors.

    Raises:
        WeightsError: A file is missing or damaged, or it is of another network.
    """
    for name in _FILES:
        if not (folder / name).is_file():
            raise WeightsError(f"{folder} has no {name}: put a wav2vec2 model (such as wav2vec2-base-960h) there")
    from transformers import Wav2Vec2Model

    try:
        network, report = Wav2Vec2Model.from_pretrained(
            os.fspath(folder), local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except _DAMAGE as error:
        first = " ".join(str(error).split())[:120]
        raise WeightsError(f"{folder} cannot be read as wav2vec2 ({first}): copy it again") from error
    if report["missing_keys"] or report["mismatched_keys"]:
        raise WeightsError(f"{folder} lacks weights of wav2vec2 ({sorted(report['missing_keys'])[:2]}): copy it again")
    return Wav2Vec2(network.eval())
