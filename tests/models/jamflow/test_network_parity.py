"""The Audio-DiT and its sampler against numbers of F5-TTS itself; each case with the tolerance it came with."""

from functools import lru_cache
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.jamflow.audio_dit import AudioDiT, AudioGiven
from models.jamflow.conditions import Given, Pair, stack
from models.jamflow.config import COUPLING, JamFlowConfig, MotionConfig, trunk
from models.jamflow.joint import JamFlow
from models.jamflow.packed import pack
from models.jamflow.sampler import Guidance, sample
from models.jamflow.schedule import epss_grid, swayed, uniform_grid

pytestmark = pytest.mark.shared

KINDS = ("masked", "drop_audio_cond", "drop_text", "drop_both", "cfg_packed", "no_mask", "no_mask_drop_both")
KINDS += ("text_longer_than_mel", "scalar_time")
SMALL = [f"{model}.{kind}" for model in ("small_v1", "small_v0") for kind in KINDS]
SMALL += ["small_v1_attn_mask.masked", "small_v1_low_gain.masked"]
BASE = ["F5TTS_v1_Base.forward", "F5TTS_v1_Base.drop_both", "F5TTS_Base_v0_flags.forward"]
SAMPLINGS = [f"small_{v}.{kind}" for v in ("v1", "v0") for kind in ("euler16", "epss7", "euler16_batch", "epss7_batch")]
SAMPLINGS += ["small_v1.no_cfg", "small_v1.edit", "small_v1.no_ref_audio"]


def test_no_golden_is_left_out(goldens: Any) -> None:
    assert set(SMALL + BASE) == goldens.names("dit_forward")
    assert set(SAMPLINGS) == goldens.names("cfm_sample")


def as_joint(network: AudioDiT) -> JamFlow:
    """The joint model around an Audio-DiT, which runs alone where there is no motion."""
    config = network.config
    body = trunk(16, config.trunk.depth, config.trunk.heads, config.trunk.head_width)
    model = JamFlow(JamFlowConfig(config, MotionConfig(body, 12, 12, 3.75, 0), COUPLING))
    model.audio = network
    return model.eval()


@pytest.fixture(scope="module")
def model_of(goldens: Any) -> Any:
    return lru_cache(maxsize=1)(lambda name: as_joint(goldens.network(name)))


def given_audio(cond: Tensor, known: Tensor, tokens: Tensor, lengths: Tensor, *, drop_text: bool = False) -> Given:
    yes = torch.ones(len(cond), dtype=torch.bool)
    return Given(AudioGiven(cond, known, tokens, yes & (not drop_text), lengths, yes), None, ~yes, ~yes)


def forward(model: JamFlow, goldens: Any, case: dict[str, Any]) -> tuple[Tensor, Pair[Tensor]]:
    x, cond, tokens, time = (goldens.input(case, name) for name in ("x", "cond", "text", "time"))
    lens = goldens.input(case, "lens")
    lengths = torch.full((len(x),), x.shape[1]) if lens is None else lens
    known = torch.full(x.shape[:2], not case.get("drop_audio_cond", False))
    given = given_audio(cond, known, tokens, lengths, drop_text=case.get("drop_text", False))
    t = time.reshape(-1)
    if case.get("cfg_infer"):
        given, x, t = stack([given, given.without_conditions()]), torch.cat([x, x]), torch.cat([t, t])
    conditions, modulation = model.condition(given), model.modulate(Pair(t, None))
    out = model.velocity(Pair(x, None), modulation, conditions).audio
    assert out is not None
    return out, conditions


@pytest.mark.parametrize("name", [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in BASE)])
@torch.inference_mode()
def test_parity_forward(name: str, goldens: Any, model_of: Any) -> None:
    case = goldens.case(name)
    out, _ = forward(model_of(case["model"]), goldens, case)
    assert goldens.excess(case, "out", out) < 1


@pytest.mark.parametrize("model_name", ["small_v1", "small_v0"])
@torch.inference_mode()
def test_parity_on_the_way(model_name: str, goldens: Any, model_of: Any) -> None:
    """Intermediate results, which tell where a difference begins."""
    case, model = goldens.case(f"{model_name}.masked"), model_of(model_name)
    x, tokens, time = (goldens.input(case, name) for name in ("x", "text", "time"))
    _, conditions = forward(model, goldens, case)
    stream, audio = conditions.audio, model.audio
    assert goldens.excess(case, "tap:time_embed", audio.trunk.time(time)) < 1
    text = audio.text(tokens, x.shape[1], stream.valid, torch.zeros(len(x), dtype=torch.bool))
    assert goldens.excess(case, "tap:text_embed", text) < 1
    entered = audio.trunk.enter(audio.embed(x, stream.embedding), stream.valid)
    assert goldens.excess(case, "tap:input_embed", entered) < 1


@torch.inference_mode()
def test_parity_of_packed_weights(goldens: Any) -> None:
    case = goldens.case("small_v1.masked")
    model = as_joint(goldens.network("small_v1"))
    pack(model)
    assert not any("qkv" in name for name in model.state_dict())
    out, _ = forward(model, goldens, case)
    assert goldens.excess(case, "out", out) < 1


def sampling(goldens: Any, case: dict[str, Any]) -> tuple[Given, Tensor, Tensor]:
    """The inputs of a golden sampling: what is given, the noise, the grid."""
    cond, tokens, noise = (goldens.input(case, name) for name in ("cond", "text", "start_noise"))
    clips, padded = noise.shape[:2]
    lengths = goldens.input(case, "duration").expand(clips)
    prompt = goldens.input(case, "lens")
    prompt = torch.full((clips,), cond.shape[1]) if prompt is None else prompt
    known = torch.arange(padded) < prompt[:, None]
    edit = goldens.input(case, "edit_mask")
    if edit is not None:
        known = known & F.pad(edit, (0, padded - edit.shape[1]))
    mel = F.pad(cond, (0, 0, 0, padded - cond.shape[1]))
    mel = torch.zeros_like(mel) if case.get("no_ref_audio") else mel
    grid = (epss_grid if case["use_epss"] else uniform_grid)(case["steps"])
    grid = grid if case["sway"] is None else swayed(grid, case["sway"])
    return given_audio(mel, known, tokens, lengths), noise, grid


@pytest.mark.parametrize("name", SAMPLINGS)
def test_parity_sampling(name: str, goldens: Any, model_of: Any) -> None:
    case = goldens.case(name)
    given, noise, grid = sampling(goldens, case)
    assert goldens.excess(case, "t", grid) < 1
    guidance = Guidance(case["cfg_strength"], case["cfg_strength"])
    out = sample(model_of(case["model"]), given, Pair(noise, None), grid, guidance=guidance).audio
    assert out is not None and given.audio is not None
    # Beyond a clip's end upstream leaves whatever the network said of padding; ours is silent there.
    valid = given.audio.frames.valid[..., None]
    golden = goldens.tensors[case["outputs"]["out"]["tensor"]]
    assert goldens.excess(case, "out", torch.where(valid, out, golden)) < 1
    assert not (out * ~valid).any()


SCHEDULES = range(20)


@pytest.mark.parametrize("index", SCHEDULES)
def test_parity_schedule(index: int, goldens: Any) -> None:
    rules = goldens.index["rules"]["schedule"]
    assert len(rules) == len(SCHEDULES)
    rule = rules[index]
    grid = (epss_grid if rule["use_epss"] else uniform_grid)(rule["steps"])
    grid = grid if rule["sway"] is None else swayed(grid, rule["sway"])
    assert torch.allclose(grid, torch.tensor(rule["expect"]["t"]), atol=1e-6, rtol=0)
