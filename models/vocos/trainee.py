"""The vocoder in training, for `models.training.loop`. Letters: b crops, n samples, f frames."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from models.jamflow.config import HOP_SAMPLES
from models.jamflow.ema import Ema
from models.jamflow.mel import mel_spectrogram
from models.training.chance import step_seed
from models.training.schedule import warm_cosine
from models.vocos.adversary import build_discriminators, discriminator_loss, hinge_loss, judged, matching_loss
from models.vocos.altered import altered
from models.vocos.config import Adversary, VocosConfig
from models.vocos.losses import log_mel_error, spectral_error
from models.vocos.network import build_vocos
from models.vocos.speech import SpeechBank

HELD_OUT = "held_out"
"""The metric of the averaged weights on speech that was kept out: both errors, weighted as in the loss."""

_HELD_OUT_CROPS, _HELD_OUT_FRAMES = 12, 188  # 2 s each
_BETAS = (0.8, 0.9)  # Vocos's
_GAIN_DB = (-12.0, 3.0)
_HIGHEST_PEAK = 0.99


class VocosTrainee:
    """A vocoder, what judges it, and the speech it learns from; every step depends on (seed, index) alone."""

    def __init__(self, config: VocosConfig, bank: SpeechBank, held_out: SpeechBank) -> None:
        torch.manual_seed(config.seed)
        self._config, self._bank = config, bank
        rng = np.random.default_rng(config.seed)
        self._held_out = torch.from_numpy(held_out.crops(_HELD_OUT_CROPS, _HELD_OUT_FRAMES * HOP_SAMPLES, rng))
        self.network: Any = build_vocos(config.sizes)
        self.ema = Ema(self.network, config.ema_decay)
        self._optimiser = torch.optim.AdamW(self.network.parameters(), lr=config.learning_rate, betas=_BETAS)
        self._opponent = None if config.adversary is None else _Opponent(config.adversary)

    def step(self, index: int) -> Mapping[str, float]:
        """One step of the vocoder and, in the last part, of one discriminator."""
        config, seed = self._config, step_seed(self._config.seed, index)
        wanted = torch.from_numpy(drawn_speech(self._bank, config, np.random.default_rng(seed)))
        made = self._decode(self._heard(wanted, torch.Generator().manual_seed(seed)))
        errors = _errors(made, wanted)
        loss = self._weighted(errors)
        factor = warm_cosine(index, steps=config.steps, warmup=config.warmup, floor=config.floor)
        if self._opponent is not None and index >= self._opponent.config.from_step:
            said = self._opponent.step(wanted, made, index, config.has_bfloat16)
            loss = loss + said.pop("weighted")
            errors |= said
        norm = _stepped(self._optimiser, loss, factor * config.learning_rate, config.clip_norm)
        self.ema.update(self.network)
        told = {name: error.item() for name, error in errors.items()}
        if (index + 1) % config.measure_every == 0 or index + 1 == config.steps:
            told[HELD_OUT] = self._held_out_error()
        return {**told, "gradient_norm": norm, "frames": float(config.batch * config.crop_frames)}

    @torch.no_grad()
    def _held_out_error(self) -> float:
        made: Tensor = self.averaged().decode(mel_spectrogram(self._held_out).transpose(1, 2))
        return float(self._weighted(_errors(made, self._held_out)))

    def _weighted(self, errors: Mapping[str, Tensor]) -> Tensor:
        return self._config.mel_weight * errors["mel"] + self._config.spectral_weight * errors["spectral"]

    def _heard(self, wanted: Float[Tensor, "b n"], generator: torch.Generator) -> Float[Tensor, "b f 100"]:
        """Mels of the crops, a share of them altered."""
        mel = mel_spectrogram(wanted)
        count = round(self._config.altered_share * len(mel))
        return torch.cat([altered(mel[:count], generator), mel[count:]]) if count else mel

    def _decode(self, mel: Float[Tensor, "b f 100"]) -> Float[Tensor, "b n"]:
        with torch.autocast(mel.device.type, torch.bfloat16, enabled=self._config.has_bfloat16):
            hidden = self.network.backbone(mel.transpose(1, 2))
        wave: Tensor = self.network.head(hidden.float())
        return wave

    def averaged(self) -> Any:
        """The network with averaged weights, a copy."""
        network = build_vocos(self._config.sizes)
        network.load_state_dict(self.network.state_dict())
        self.ema.copy_to(network)
        return network.eval()

    def state(self) -> dict[str, Any]:
        held: dict[str, Any] = {
            "network": self.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "ema": self.ema.state_dict(),
        }
        return held if self._opponent is None else {**held, "opponent": self._opponent.state()}

    def restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.ema.load_state_dict(state["ema"])
        if self._opponent is not None and "opponent" in state:  # without: it joins a training that began alone
            self._opponent.restore(state["opponent"])


class _Opponent:
    """The discriminators and their optimiser; in each step one of them, in turn."""

    def __init__(self, config: Adversary) -> None:
        self.config = config
        self._networks = build_discriminators(config)
        self._optimisers = [
            torch.optim.AdamW(network.parameters(), lr=config.learning_rate, betas=_BETAS) for network in self._networks
        ]

    def step(
        self, wanted: Float[Tensor, "b n"], made: Float[Tensor, "b n"], index: int, has_bfloat16: bool
    ) -> dict[str, Tensor]:
        """Teach a discriminator; returns its loss, the vocoder's by it, and `weighted`, what the vocoder minimises."""
        config, turn = self.config, index % len(self._networks)
        network, wanted, made = self._networks[turn], wanted[-config.clips :], made[-config.clips :]
        own = discriminator_loss(judged(network, wanted, has_bfloat16), judged(network, made.detach(), has_bfloat16))
        _stepped(self._optimisers[turn], own, config.learning_rate, clip_norm=10.0)
        network.requires_grad_(False)
        with torch.no_grad():
            real = judged(network, wanted, has_bfloat16)
        said = judged(network, made, has_bfloat16)
        network.requires_grad_(True)
        hinge, matching = hinge_loss(said), matching_loss(real, said)
        weighted = config.hinge_weight * hinge + config.matching_weight * matching
        return {"discriminator": own.detach(), "hinge": hinge, "matching": matching, "weighted": weighted}

    def state(self) -> dict[str, Any]:
        return {
            "networks": self._networks.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._networks.load_state_dict(state["networks"])
        for optimiser, held in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(held)


def _errors(made: Float[Tensor, "b n"], wanted: Float[Tensor, "b n"]) -> dict[str, Tensor]:
    return {"mel": log_mel_error(made, wanted), "spectral": spectral_error(made, wanted)}


def drawn_speech(bank: SpeechBank, config: VocosConfig, rng: np.random.Generator) -> np.ndarray:
    """Crops [b, n] at levels of their own, none beyond full scale."""
    crops = bank.crops(config.batch, config.crop_frames * HOP_SAMPLES, rng)
    gains = 10 ** (rng.uniform(*_GAIN_DB, size=config.batch) / 20)
    peaks = np.abs(crops).max(axis=1)
    limited = np.minimum(gains, _HIGHEST_PEAK / np.maximum(peaks, 1e-6))
    return cast(np.ndarray, (crops * limited[:, None]).astype(np.float32))


def _stepped(optimiser: torch.optim.Optimizer, loss: Tensor, rate: float, clip_norm: float) -> float:
    """Take a step; returns the gradient's norm before clipping."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    norm = clip_grad_norm_([parameter for parameter in parameters if parameter.grad is not None], clip_norm)
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.step()
    return float(norm)
