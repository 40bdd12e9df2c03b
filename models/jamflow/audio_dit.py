"""The Audio-DiT: F5-TTS's network. Letters: b batch, n mel frames, w width."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from models.jamflow.config import AudioConfig
from models.jamflow.layers import Trunk
from models.jamflow.masks import Frames
from models.jamflow.text import TextEncoder


@dataclass(frozen=True)
class AudioGiven:
    """What is given of the audio stream of a batch of clips.

    Attributes:
        mel: [b, n, bands] log-mel frames, inside the network in its scale (`Given.scaled`); read only where `known`.
        known: [b, n] the frames that condition the rest.
        tokens: [b, nt] text ids, padded with -1.
        has_text: [b] whether the clip's text may be read.
        lengths: [b] frames of each clip.
        is_generated: [b] whether there is anything to generate; a stream that is not is clean, at flow time 1.
    """

    mel: Float[Tensor, "b n bands"]
    known: Bool[Tensor, "b n"]
    tokens: Int[Tensor, "b nt"]
    has_text: Bool[Tensor, " b"]
    lengths: Int[Tensor, " b"]
    is_generated: Bool[Tensor, " b"]

    @property
    def frames(self) -> Frames:
        return Frames(self.lengths, self.mel.shape[1])

    @property
    def clean(self) -> Float[Tensor, "b n bands"]:
        """The known mel, zero elsewhere."""
        return self.mel * self.known[..., None]


class AudioDiT(nn.Module):
    """Velocity of mel frames from noisy mel, known mel and text."""

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        self.config = config
        self.text = TextEncoder(config)
        self.inputs = nn.Linear(2 * config.mel_bands + config.text_width, config.trunk.width)
        self.trunk = Trunk(config.trunk, config.mel_bands)

    def condition(self, given: AudioGiven, valid: Bool[Tensor, "b n"] | None) -> Float[Tensor, "b n w"]:
        """The part of the input layer that does not change along the flow: known mel and text."""
        text = self.text(given.tokens, given.mel.shape[1], valid, ~given.has_text)
        weight = self.inputs.weight[:, self.config.mel_bands :]
        return F.linear(torch.cat([given.clean.to(text.dtype), text], dim=-1), weight, self.inputs.bias)

    def embed(self, x: Float[Tensor, "b n bands"], condition: Float[Tensor, "b n w"]) -> Float[Tensor, "b n w"]:
        """The input layer on noisy mel."""
        return condition + F.linear(x, self.inputs.weight[:, : self.config.mel_bands])
