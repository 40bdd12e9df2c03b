"""Theorems of the joint model, on small random networks."""

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given as sometimes
from hypothesis import settings
from hypothesis import strategies as st
from torch import Tensor

from models.jamflow.conditions import Given, Pair, stack
from models.jamflow.config import COUPLING, trunk
from models.jamflow.joint import JamFlow

RATIO = 3.75
OPEN = replace(COUPLING, is_gated=False)


def times(clips: int, audio_t: float = 0.3, motion_t: float = 0.6) -> Pair[Tensor]:
    return Pair(torch.full((clips,), audio_t), torch.full((clips,), motion_t))


def only(pair: Pair, stream: int) -> Pair:
    return Pair(*(part if index == stream else None for index, part in enumerate(pair)))


def padded(state: Pair[Tensor], mel_frames: int, motion_frames: int) -> Pair[Tensor]:
    sizes = Pair(mel_frames, motion_frames)
    return Pair(*(F.pad(x, (0, 0, 0, size - x.shape[1])) for x, size in zip(state, sizes, strict=True)))


# Positions


@sometimes(st.integers(1, 400), st.integers(1, 400))
def test_equal_times_have_equal_angles(small_model: Any, clip: Any, mel_frames: int, motion_frames: int) -> None:
    model = small_model()
    frames = clip(mel_frames, motion_frames)[0].streams.map(lambda stream: stream.frames)
    audio_at, motion_at = (at[0] for at in model._positions(frames))
    longest = max(mel_frames, motion_frames)
    torch.testing.assert_close(audio_at, torch.arange(mel_frames) / mel_frames * longest, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(motion_at, torch.arange(motion_frames) / motion_frames * longest, rtol=1e-5, atol=1e-5)
    if mel_frames >= motion_frames:
        assert torch.equal(audio_at, torch.arange(mel_frames).float())  # the pretrained branch's own positions


def test_a_padded_clip_has_the_positions_of_its_own_length(small_model: Any, clip: Any) -> None:
    model = small_model()
    batch = stack([clip(30, 8)[0], clip(12, 4, seed=1)[0]])
    positions = model._positions(batch.streams.map(lambda stream: stream.frames))
    assert torch.allclose(positions.motion[0], torch.arange(8) * 3.75)
    assert torch.allclose(positions.motion[1], torch.arange(8) * 3.0)


def test_motion_alone_lies_where_it_would_beside_its_sound(small_model: Any, clip: Any) -> None:
    model = small_model()
    both, _ = clip(60, 16)
    alone = model._positions(Pair(None, both.motion.frames)).motion
    torch.testing.assert_close(alone, model._positions(both.streams.map(lambda s: s.frames)).motion)


def test_unaligned_positions_are_an_ablation(small_model: Any, clip: Any) -> None:
    model = small_model(replace(OPEN, aligns_rotary=False))
    assert torch.equal(model._positions(clip(60, 16)[0].streams.map(lambda s: s.frames)).motion[0], torch.arange(16.0))


# Batches


SIZES = st.tuples(st.integers(2, 40), st.integers(0, 12))


@sometimes(st.lists(SIZES, min_size=2, max_size=3), st.sampled_from(["half", "full"]))
@settings(max_examples=25)
def test_a_padded_batch_equals_its_clips_alone(
    small_model: Any, clip: Any, sizes: list[tuple[int, int]], joint: str
) -> None:
    """Clips of any lengths, some of them without motion."""
    sizes = [(20, 5), *sizes]
    model = small_model(replace(OPEN, joint=joint))
    clips = [clip(n, m, seed) for seed, (n, m) in enumerate(sizes)]
    longest = max(n for n, _ in sizes), max(m for _, m in sizes)
    state = Pair(*(torch.cat(parts) for parts in zip(*(padded(x, *longest) for _, x in clips), strict=True)))
    together = model(state, times(len(clips)), stack([given for given, _ in clips]))
    for row, ((given, x), (n, m)) in enumerate(zip(clips, sizes, strict=True)):
        alone = model(x, times(1), given) if m else model(only(x, 0), only(times(1), 0), given)
        torch.testing.assert_close(together.audio[row, :n], alone.audio[0], rtol=1e-4, atol=1e-5)
        if m:
            torch.testing.assert_close(together.motion[row, :m], alone.motion[0], rtol=1e-4, atol=1e-5)


# Without motion


def test_a_clip_without_motion_is_f5_tts_bit_for_bit(small_model: Any, clip: Any) -> None:
    model, other = small_model(COUPLING), small_model(replace(COUPLING, joint="none"), seed=0)
    given, x = clip(40, 0)
    t = Pair(torch.tensor([0.4]), None)
    joint = model(Pair(x.audio, None), t, given).audio
    other.audio.load_state_dict(model.audio.state_dict())
    assert torch.equal(joint, other(Pair(x.audio, None), t, given).audio)


def test_a_freshly_joined_model_is_f5_tts_bit_for_bit_beside_motion_too(small_model: Any, clip: Any) -> None:
    model = small_model(COUPLING)
    given, x = clip(40, 11)
    beside = model(x, times(1), given).audio
    alone = model(Pair(x.audio, None), Pair(times(1).audio, None), replace(given, motion=None)).audio
    assert torch.equal(beside, alone)


def test_an_open_gate_is_the_paper_s_attention(small_model: Any, clip: Any) -> None:
    gated, plain = small_model(COUPLING), small_model(OPEN)
    plain.load_state_dict({name: tensor for name, tensor in gated.state_dict().items() if name != "gates"})
    with torch.no_grad():
        gated.gates.fill_(1)
    given, x = clip(40, 11)
    for ours, paper in zip(gated(x, times(1), given), plain(x, times(1), given), strict=True):
        torch.testing.assert_close(ours, paper, rtol=1e-5, atol=1e-6)


def test_the_gate_of_a_fresh_model_learns(small_model: Any, clip: Any) -> None:
    model = small_model(COUPLING)
    given, x = clip(40, 11)
    model(x, times(1), given).audio.square().sum().backward()
    assert model.gates.grad is not None and (model.gates.grad != 0).all()


@pytest.mark.parametrize("stream", [0, 1])
def test_a_stream_that_does_not_listen_is_alone(stream: int, small_model: Any, clip: Any) -> None:
    """The flags of Algorithm 2, for each branch: plain self-attention, without the joint blocks' windows."""
    model = small_model()
    given, x = clip(45, 12)  # at the nominal ratio, by which motion alone is placed
    no = torch.zeros(1, dtype=torch.bool)
    deaf = replace(given, audio_listens=no) if stream == 0 else replace(given, motion_listens=no)
    kept_x, kept_t = only(x, stream), only(times(1), stream)
    expected = list(model(kept_x, kept_t, Given(*only(given.streams, stream), no, no)))[stream]
    torch.testing.assert_close(list(model(x, times(1), deaf))[stream], expected, rtol=1e-5, atol=1e-5)
    assert (list(model(x, times(1), given))[stream] - expected).abs().max() > 1e-4


def test_rows_that_listen_and_rows_that_do_not_mix_in_a_batch(small_model: Any, clip: Any) -> None:
    model = small_model()
    listening, x = clip(40, 11)
    deaf, _ = clip(40, 11, listens=False)
    both = model(Pair(*(torch.cat([part, part]) for part in x)), times(2), stack([listening, deaf]))
    for row, given in enumerate((listening, deaf)):
        for together, alone in zip(both, model(x, times(1), given), strict=True):
            torch.testing.assert_close(together[row], alone[0], rtol=1e-4, atol=1e-5)


# Information


def gradient_of(output: Tensor, source: Tensor) -> Tensor:
    return torch.autograd.grad(output.abs().sum(), source, retain_graph=True)[0].abs().sum(dim=-1)[0]


def reach(gradient: Tensor) -> tuple[int, int]:
    """The first and the last frame whose gradient is not exactly zero."""
    there = gradient.nonzero().flatten()
    return int(there[0]), int(there[-1])


def test_the_masks_of_a_whole_model_let_nothing_through(small_model: Any, clip: Any) -> None:
    """One joint block and no other: the gradient of what is masked away is exactly zero."""
    config = small_model().config
    one_block = replace(
        config,
        audio=replace(config.audio, trunk=trunk(64, 1, 2, 32)),
        motion=replace(config.motion, trunk=trunk(48, 1, 2, 32)),
        coupling=replace(OPEN, joint="full"),
    )
    torch.manual_seed(0)
    model = JamFlow(one_block).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.1)
    given, x = clip(450, 120)
    x = x.map(lambda part: part.requires_grad_())
    v = model(x, times(1), given)
    # The position convolutions reach 30 frames to either side; a window of 0.4 s is 10 motion and 37 mel frames.
    mouth_from_audio, mouth_from_mouth = (gradient_of(v.motion[:, 60], part) for part in x)
    # Motion frame 60 is at mel frame 226.4, so that its window is 189 to 263.
    assert reach(mouth_from_audio) == (189 - 30, 263 + 30)
    assert reach(mouth_from_mouth) == (60 - 10 - 30, 60 + 10 + 30)
    audio_from_audio, audio_from_mouth = (gradient_of(v.audio[:, 225], part) for part in x)
    assert reach(audio_from_mouth) == (60 - 30, 60 + 30)
    assert (audio_from_audio > 0).all()  # sound sees all sound


@pytest.mark.parametrize(("joint", "blocks"), [("full", 4), ("half", 2), ("none", 0)])
def test_which_blocks_are_joint(joint: str, blocks: int, small_model: Any, clip: Any) -> None:
    model = small_model(replace(OPEN, joint=joint))
    assert model.config.joint_blocks == blocks
    given, x = clip(30, 8)
    x = x.map(lambda part: part.requires_grad_())
    crossed = torch.autograd.grad(model(x, times(1), given).audio.sum(), x.motion, allow_unused=True)[0]
    assert (crossed is not None and (crossed != 0).any()) == (blocks > 0)


def test_recomputing_activations_changes_no_gradient(small_model: Any, clip: Any) -> None:
    model = small_model()
    given, x = clip(30, 8)
    gradients = []
    for recompute in (False, True):
        model.zero_grad()
        v = model(x, times(1), given, recompute=recompute)
        (v.audio.square().sum() + v.motion.square().sum()).backward()
        gradients.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    assert all(torch.allclose(a, b, rtol=1e-5, atol=1e-6) for a, b in zip(*gradients, strict=True))
