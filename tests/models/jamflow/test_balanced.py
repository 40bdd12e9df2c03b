"""Keys of motion weigh as much as those of sound where the streams are balanced, and as one among many where not."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from models.jamflow.config import Windows
from models.jamflow.masks import Frames, audio_mask, balanced


@given(st.integers(2, 40), st.integers(1, 12), st.integers(0, 3))
def test_both_streams_get_half_of_an_even_attention(mel: int, motion: int, reach: int) -> None:
    sound, face = Frames(torch.tensor([mel]), mel + 3), Frames(torch.tensor([motion]), motion + 2)
    mask = balanced(audio_mask(sound, face, Windows(0.4, 0.4, reach), torch.float32), sound.padded)
    weights = mask.softmax(dim=-1)[0, 0, :mel]
    torch.testing.assert_close(weights[:, : sound.padded].sum(-1), torch.full((mel,), 0.5))


def test_what_is_not_seen_stays_unseen() -> None:
    sound, face = Frames(torch.tensor([8, 5]), 8), Frames(torch.tensor([3, 2]), 3)
    plain = audio_mask(sound, face, Windows(0.4, 0.4, 0), torch.float32)
    assert torch.equal(balanced(plain, 8).isfinite(), plain.isfinite())
    assert balanced(plain, 8)[..., :8].equal(plain[..., :8])


def test_unbalanced_motion_is_one_key_among_many() -> None:
    sound, face = Frames(torch.tensor([30]), 30), Frames(torch.tensor([8]), 8)
    weights = audio_mask(sound, face, Windows(0.4, 0.4, 0), torch.float32).softmax(-1)[0, 0]
    torch.testing.assert_close(weights[:, 30:].sum(-1), torch.full((30,), 1 / 31))
