"""What a training of the vocoder is made of, as frozen values, and the file that says so."""

from pathlib import Path

from pydantic import Field, ValidationError

from schemas.errors import RequestError
from schemas.value import Value


class Sizes(Value):
    """Of the network: blocks, their width and the width inside them."""

    width: int = Field(ge=8)
    inner_width: int = Field(ge=8)
    blocks: int = Field(ge=1)


class Adversary(Value):
    """Discriminators that see the complex spectrum, one of them in each step of the last part of the training.

    Attributes:
        from_step: The first step, by index, with them.
        windows: Of each discriminator's spectrum, in samples.
        channels: Of each layer.
        hop_share: Of the window, between frames.
        learning_rate: Of theirs, at the peak.
        clips: How many of a batch they see.
        hinge_weight, matching_weight: Of what they say, and of the differences inside them, in the vocoder's loss.
    """

    from_step: int = Field(ge=0)
    windows: tuple[int, ...]
    channels: int
    hop_share: float
    learning_rate: float
    clips: int
    hinge_weight: float
    matching_weight: float


class VocosConfig(Value):
    """A training of the vocoder.

    Attributes:
        sizes: Of the network.
        seed: Of weights and of every step.
        steps: In all.
        batch: Crops a step.
        crop_frames: Their length in hops of 256 samples at 24 kHz.
        learning_rate: At the peak.
        warmup: Steps until then.
        floor: Share of it that is left at the end.
        clip_norm: Largest norm of the gradient.
        ema_decay: Of the averaged weights, which are what is exported.
        mel_weight, spectral_weight: Of the two losses.
        altered_share: Of the crops whose mel is blurred and noisy, as generated ones are.
        measure_every: Steps between measurements on held-out speech, and exports.
        has_bfloat16: Whether matrix products are taken in bfloat16.
    """

    sizes: Sizes
    seed: int = Field(ge=0)
    steps: int = Field(ge=1)
    batch: int = Field(ge=1)
    crop_frames: int = Field(ge=16)
    learning_rate: float = Field(gt=0)
    warmup: int = Field(ge=0)
    floor: float = Field(ge=0, le=1)
    clip_norm: float = Field(gt=0)
    ema_decay: float = Field(ge=0, lt=1)
    mel_weight: float
    spectral_weight: float
    altered_share: float = Field(ge=0, le=1)
    measure_every: int = Field(ge=1)
    has_bfloat16: bool
    adversary: Adversary | None


def read_config(path: Path) -> VocosConfig:
    """Read a JSON file.

    Raises:
        RequestError: It cannot be read, or a value is missing, unknown or out of range.
    """
    try:
        return VocosConfig.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RequestError(f"{path} cannot be read ({error.strerror}): name the training's JSON file") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise RequestError(f"{path}: {place}: {first['msg']}; compare models/vocos/tiny.json") from error
