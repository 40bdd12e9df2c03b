"""The other side of benchmarks/jamflow.py: F5-TTS's own network and sampler, of the `f5-tts` package.

    .venv-bench/bin/python benchmarks/f5_upstream.py FILE

writes seeded weights of F5TTS_v1_Base's size under the released names. The package: benchmarks/requirements-f5.txt.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from f5_tts.model.backbones.dit import DiT
from f5_tts.model.cfm import CFM
from jamflow_ours import FLOW_TIME, NOISE_SEED, SWAY, Clip, filled
from safetensors.torch import load_file, save_file
from torch import Tensor

_SIZES = {"dim": 1024, "depth": 22, "heads": 16, "ff_mult": 2, "text_dim": 512, "conv_layers": 4}
_SIZES |= {"mel_dim": 100, "text_num_embeds": 2545}
_PREFIX = "ema_model.transformer."
_SEED = 1
_GUIDANCE = 2.0


class Upstream:
    """F5-TTS with weights of a released file, which it loads as its own `load_checkpoint` does."""

    def __init__(self, weights: Path) -> None:
        self.network = DiT(**_SIZES).eval()
        self.network.load_state_dict({name.removeprefix(_PREFIX): held for name, held in load_file(weights).items()})

    def evaluation(self, clip: Clip) -> Callable[[], Tensor]:
        """One guided evaluation; the text is encoded in the first call only, as in the sampler."""
        self.network.clear_cache()
        known = clip.mel.clone()
        known[:, clip.prompt_frames :] = 0
        return lambda: self._evaluated(clip, known)

    @torch.inference_mode()
    def _evaluated(self, clip: Clip, known: Tensor) -> Tensor:
        time = torch.tensor(FLOW_TIME)
        return self.network(x=clip.noise, cond=known, text=clip.tokens, time=time, cfg_infer=True, cache=True)

    def sampling(self, clip: Clip, steps: int) -> Callable[[], Tensor]:
        """A whole guided sampling, from text ids to the mel after the prompt."""
        return lambda: self._sampled(clip, steps)

    def _sampled(self, clip: Clip, steps: int) -> Tensor:
        self.network.clear_cache()
        mel, _ = CFM(self.network).sample(
            cond=clip.mel[:, : clip.prompt_frames],
            text=clip.tokens,
            duration=clip.frames,
            steps=steps,
            cfg_strength=_GUIDANCE,
            sway_sampling_coef=SWAY,
            seed=NOISE_SEED,
        )
        return mel[:, clip.prompt_frames :]


def write_weights(path: Path) -> None:
    """Write seeded weights; the rates of the rotary positions are what they are."""
    with torch.device("meta"):
        shapes = {name: held.shape for name, held in DiT(**_SIZES).state_dict().items()}
    generator = torch.Generator().manual_seed(_SEED)
    state = {_PREFIX + name: filled(name, shape, generator) for name, shape in shapes.items()}
    rates = shapes["rotary_embed.inv_freq"][0]
    state[_PREFIX + "rotary_embed.inv_freq"] = 10000.0 ** -(torch.arange(rates) / rates)
    save_file(state, path)


if __name__ == "__main__":
    write_weights(Path(sys.argv[1]))
