"""The Motion-DiT: the Audio-DiT's form over mouth vectors. Letters: b batch, m motion frames, w width."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from models.jamflow.config import MotionConfig
from models.jamflow.layers import Trunk
from models.jamflow.masks import Frames


@dataclass(frozen=True)
class MotionGiven:
    """What is given of the motion stream of a batch of clips; all vectors z-scored in their motion space.

    Attributes:
        mouth: [b, m, mouth]; read only where `mouth_known`.
        mouth_known: [b, m].
        rest: [b, m, rest] what else the face does; read only where `rest_known`.
        rest_known: [b, m].
        lengths: [b] frames of each clip; 0 where it has no motion stream.
        is_generated: [b] whether there is anything to generate; a stream that is not is clean, at flow time 1.
        features: [b, m, features] stage 1's audio features, or None; read only where `features_known`.
        features_known: [b, m].
    """

    mouth: Float[Tensor, "b m mouth"]
    mouth_known: Bool[Tensor, "b m"]
    rest: Float[Tensor, "b m rest"]
    rest_known: Bool[Tensor, "b m"]
    lengths: Int[Tensor, " b"]
    is_generated: Bool[Tensor, " b"]
    features: Float[Tensor, "b m features"] | None = None
    features_known: Bool[Tensor, "b m"] | None = None

    @property
    def known(self) -> Bool[Tensor, "b m"]:
        """The frames of what is generated, the mouth, that condition the rest."""
        return self.mouth_known

    @property
    def frames(self) -> Frames:
        return Frames(self.lengths, self.mouth.shape[1])

    @property
    def clean(self) -> Float[Tensor, "b m mouth"]:
        """The known mouth, zero elsewhere."""
        return self.mouth * self.mouth_known[..., None]


class MotionDiT(nn.Module):
    """Velocity of mouth vectors from noisy mouth, known mouth and rest, and a bit for each: zeros are legal values."""

    def __init__(self, config: MotionConfig) -> None:
        super().__init__()
        self.config = config
        width = config.trunk.width
        self.inputs = nn.Linear(config.mouth + (config.mouth + 1) + (config.rest + 1), width)
        # A layer of its own, so that stage 2 drops the features by leaving it out.
        self.features = nn.Linear(config.features + 1, width, bias=False) if config.features else None
        self.trunk = Trunk(config.trunk, config.mouth)

    def condition(self, given: MotionGiven, valid: Bool[Tensor, "b m"] | None) -> Float[Tensor, "b m w"]:
        """The part of the input layer that does not change along the flow."""
        del valid  # nothing here mixes frames
        parts = [_with_presence(given.mouth, given.mouth_known), _with_presence(given.rest, given.rest_known)]
        weight = self.inputs.weight[:, self.config.mouth :]
        condition = F.linear(torch.cat(parts, dim=-1).to(weight.dtype), weight, self.inputs.bias)
        if self.features is None or given.features is None or given.features_known is None:
            return condition
        heard: Tensor = self.features(_with_presence(given.features, given.features_known).to(weight.dtype))
        return condition + heard

    def embed(self, x: Float[Tensor, "b m mouth"], condition: Float[Tensor, "b m w"]) -> Float[Tensor, "b m w"]:
        """The input layer on noisy mouth vectors."""
        return condition + F.linear(x, self.inputs.weight[:, : self.config.mouth])


def _with_presence(values: Float[Tensor, "b m v"], known: Bool[Tensor, "b m"]) -> Float[Tensor, "b m v1"]:
    bit = known[..., None]
    return torch.cat([values * bit, bit.to(values.dtype)], dim=-1)
