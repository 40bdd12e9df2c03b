"""Theorems of attention and rotary positions."""

import torch
import torch.nn.functional as F
from hypothesis import given as sometimes
from hypothesis import settings
from hypothesis import strategies as st
from torch import Tensor

from models.jamflow.attention import QKV, attend, attend_jointly, rotary, rotate
from models.jamflow.config import COUPLING, Windows
from models.jamflow.masks import Frames, audio_mask, motion_mask

RATIO = 3.75


def random_qkv(frames: int, seed: int) -> QKV:
    generator = torch.Generator().manual_seed(seed)
    return QKV(*(torch.randn(2, 3, frames, 8, generator=generator) for _ in range(3)))


@sometimes(st.integers(1, 12), st.integers(1, 12), st.integers(0, 99), st.booleans())
@settings(max_examples=40)
def test_own_queries_give_the_pooled_form_of_algorithm_2(n: int, m: int, seed: int, is_masked: bool) -> None:
    own, other = random_qkv(n, seed), random_qkv(m, seed + 1)
    generator = torch.Generator().manual_seed(seed)
    mask = torch.where(torch.rand(2, 1, n + m, n + m, generator=generator) < 0.5, 0.0, -torch.inf)
    mask = mask.masked_fill(torch.eye(n + m, dtype=torch.bool), 0.0) if is_masked else torch.zeros_like(mask)
    # The paper: pool queries, keys and values in the order [own; other], attend, keep the first n rows.
    q, k, v = (torch.cat(parts, dim=2) for parts in zip(own, other, strict=True))
    pooled = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)[:, :, :n]
    torch.testing.assert_close(attend_jointly(own, other, mask[:, :, :n]), pooled, rtol=1e-5, atol=1e-6)


@sometimes(st.floats(0, 3000), st.floats(0, 3000), st.floats(-500, 500), st.integers(0, 99))
@settings(max_examples=60)
def test_rotary_products_depend_on_the_distance_alone(p: float, q: float, shift: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randn(2, 1, 1, 1, 1, 16, generator=generator)

    def product(at: float, to: float) -> Tensor:
        turned = [rotate(z, rotary(torch.tensor([[place]]), 16), 1) for z, place in ((x, at), (y, to))]
        return (turned[0] * turned[1]).sum()

    torch.testing.assert_close(product(p, q), product(p + shift, q + shift), rtol=0, atol=2e-2)
    assert torch.equal(rotate(x, rotary(torch.zeros(1, 1), 16), 1), x)


def test_heads_beyond_the_rotary_ones_stay() -> None:
    x = torch.randn(1, 5, 2, 4, 8)
    turned = rotate(x, rotary(torch.arange(5.0)[None], 8), 1)
    assert torch.equal(turned[:, :, :, 1:], x[:, :, :, 1:]) and not torch.equal(turned[:, 1:, :, :1], x[:, 1:, :, :1])


def test_plain_attention_sees_only_the_clip() -> None:
    own = random_qkv(6, 3)
    mask = torch.where(torch.arange(6) < 4, 0.0, -torch.inf)[None, None, None]
    short = QKV(*(part[:, :, :4] for part in own))
    torch.testing.assert_close(attend(own, mask)[:, :, :4], attend(short))


def test_audio_hears_only_the_motion_of_its_own_time() -> None:
    """In one joint block; private blocks and convolutions mix within a stream."""
    own, other = random_qkv(15, 0), random_qkv(4, 1)
    other = QKV(other.q, other.k.requires_grad_(), other.v.requires_grad_())
    mask = audio_mask(Frames(torch.tensor([15]), 15), Frames(torch.tensor([4]), 4), COUPLING.windows, torch.float32)
    out = attend_jointly(own, other, mask)
    for p in range(15):
        reached = torch.autograd.grad(out[:, :, p].sum(), other.v, retain_graph=True)[0].abs().sum(dim=(0, 1, 3))
        assert reached.nonzero().flatten().tolist() == [int((p + 0.5) * 4 / 15)]


@sometimes(st.integers(1, 60), st.floats(0.05, 1.0), st.floats(0.05, 1.0))
@settings(max_examples=40)
def test_motion_sees_windows_and_nothing_beyond(motion_frames: int, own_s: float, other_s: float) -> None:
    mel_frames = round(motion_frames * RATIO)
    frames = Frames(torch.tensor([motion_frames]), motion_frames), Frames(torch.tensor([mel_frames]), mel_frames)
    seen = motion_mask(*frames, Windows(own_s, other_s, 0), torch.float32)[0, 0] == 0
    duration_s = mel_frames / 93.75
    own_at = (torch.arange(motion_frames) + 0.5) / motion_frames * duration_s
    other_at = (torch.arange(mel_frames) + 0.5) / mel_frames * duration_s
    away_s = torch.cat([own_at[None] - own_at[:, None], other_at[None] - own_at[:, None]], dim=1).abs()
    reach_s = torch.cat([torch.full((motion_frames,), own_s), torch.full((mel_frames,), other_s)])
    assert seen[away_s < reach_s - 1e-4].all() and not seen[away_s > reach_s + 1e-4].any()
