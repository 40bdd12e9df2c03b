"""The joint model: two DiTs whose first blocks attend to each other.

Letters: b clips, n and m frames, h heads; b1 is b or 1.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from models.jamflow.attention import QKV, attend, attend_jointly, rotary
from models.jamflow.audio_dit import AudioDiT
from models.jamflow.conditions import Conditions, Given, Hearing, Pair, StreamConditions, each
from models.jamflow.config import JamFlowConfig, Windows
from models.jamflow.layers import Block, Modulation
from models.jamflow.masks import Frames, audio_mask, balanced, key_mask, motion_mask
from models.jamflow.motion_dit import MotionDiT


class JamFlow(nn.Module):
    """Velocities of mel and mouth vectors, each from both.

    A clip goes through in three steps: `condition` once, `modulate` once for all times, `velocity` at each time.
    """

    def __init__(self, config: JamFlowConfig) -> None:
        super().__init__()
        self.config = config
        self.audio = AudioDiT(config.audio)
        self.motion = MotionDiT(config.motion)
        gates = torch.zeros(config.joint_blocks, config.audio.trunk.heads)
        self.gates = nn.Parameter(gates) if config.coupling.is_gated else None

    @property
    def branches(self) -> Pair[Any]:
        """Both DiTs; they have `condition`, `embed`, `trunk` and `config` in common."""
        return Pair(self.audio, self.motion)

    def condition(self, given: Given) -> Conditions:
        """Compute all that does not depend on flow time or noise."""
        frames = given.streams.map(lambda stream: stream.frames)
        return each(
            _condition, frames, self.branches, given.streams, self._positions(frames), self._hearing(frames, given)
        )

    def _positions(self, frames: Pair[Frames]) -> Pair[Tensor]:
        """Rotary positions, p L_ref / L with L_ref the longer stream (paper): equal at equal times."""
        lengths = frames.map(lambda stream: stream.lengths.clamp(min=1).float())
        if not self.config.coupling.aligns_rotary:
            return each(_counted, frames, lengths.map(torch.ones_like))
        longest = torch.stack([length for length in lengths if length is not None]).amax(dim=0)
        if frames.audio is None:  # stage 1: the places that the frames will have beside their sound
            longest = longest * self.config.motion.mel_frames
        return each(_counted, frames, lengths.map(lambda length: longest / length))

    def _hearing(self, frames: Pair[Frames], given: Given) -> Pair[Hearing]:
        """Which clips' streams see the other one in joint blocks, and what of it."""
        audio, motion = frames
        if audio is None or motion is None or not self.config.joint_blocks:
            return Pair(None, None)
        has_both = (audio.lengths > 0) & (motion.lengths > 0)
        audio_mask_of = _balanced_audio_mask if self.config.coupling.balances_streams else audio_mask
        return Pair(
            self._hears(audio_mask_of, audio, motion, given.audio_listens & has_both),
            self._hears(motion_mask, motion, audio, given.motion_listens & has_both),
        )

    def _hears(
        self, mask_of: Callable[..., Tensor], own: Frames, other: Frames, listens: Bool[Tensor, " b"]
    ) -> Hearing | None:
        listening, deaf = listens.nonzero().flatten(), (~listens).nonzero().flatten()
        if not len(listening):
            return None
        windows, dtype = self.config.coupling.windows, self.audio.inputs.weight.dtype
        mask = mask_of(own.of(listening), other.of(listening), windows, dtype)
        return Hearing(listening, deaf, _shared(mask))

    def modulate(self, t: Pair[Tensor]) -> Pair[Modulation]:
        """Everything that depends on flow time alone: [k] times of each stream, one for each clip, or one for all."""
        return each(lambda times, branch: branch.trunk.modulate(times), t, self.branches)

    def velocity(
        self, x: Pair[Tensor], modulation: Pair[Modulation], conditions: Conditions, *, recompute: bool = False
    ) -> Pair[Tensor]:
        """dx/dt of mel [b, n, bands] and mouth [b, m, mouth] at the modulation's flow times.

        `recompute`: keep no activations inside the blocks for the backward pass, compute them again there.
        """
        hidden = each(_enter, x, self.branches, conditions)
        for index in range(self.config.audio.trunk.depth):
            step = partial(self._step, index, modulation, conditions)
            hidden = checkpoint(step, hidden, use_reentrant=False) if recompute else step(hidden)
        return each(_leave, hidden, self.branches, modulation)

    def forward(self, x: Pair[Tensor], t: Pair[Tensor], given: Given, *, recompute: bool = False) -> Pair[Tensor]:
        """All three steps at once, as training needs them; `t` is [b] for each stream."""
        return self.velocity(x, self.modulate(t), self.condition(given), recompute=recompute)

    def _step(
        self, index: int, modulation: Pair[Modulation], conditions: Conditions, hidden: Pair[Tensor]
    ) -> Pair[Tensor]:
        """One pair of blocks."""
        blocks = self.branches.map(lambda branch: branch.trunk.blocks[index])
        moved = modulation.map(lambda part: part.blocks[index])
        opened = each(_open, hidden, blocks, moved, conditions)
        is_joint = index < self.config.joint_blocks
        gate = self.gates[index] if is_joint and self.gates is not None else None
        others = Pair(opened.motion, opened.audio) if is_joint else Pair(None, None)
        # Only the audio branch is gated: it is the one that comes trained.
        attended = each(_attend, opened, others, conditions, Pair(gate, None))
        return each(_close, hidden, attended, blocks, moved, conditions)


def _condition(frames: Frames, branch: Any, given: Any, positions: Tensor, hearing: Hearing | None) -> StreamConditions:
    valid = frames.valid if frames.has_padding else None
    embedding, trunk = branch.condition(given, valid), branch.config.trunk
    own_mask = None if trunk.attends_padding else key_mask(frames, embedding.dtype)
    return StreamConditions(embedding, valid, rotary(positions, trunk.head_width), own_mask, hearing)


def _enter(x: Tensor, branch: Any, stream: StreamConditions) -> Tensor:
    embedded = branch.embed(x.to(stream.embedding.dtype), stream.embedding)
    return branch.trunk.enter(embedded, stream.valid)


def _open(hidden: Tensor, block: Block, modulation: Tensor, stream: StreamConditions) -> QKV:
    return block.open(hidden, modulation, stream.turns)


def _attend(own: QKV, other: QKV | None, stream: StreamConditions, gate: Tensor | None) -> Tensor:
    """Attention of one stream. Clips that are deaf, as the null clips of guidance, need no pooled attention."""
    hearing = stream.hearing
    if other is None or hearing is None:
        return attend(own, stream.own_mask)
    if not len(hearing.deaf):
        return _joint(own, other, hearing.mask, stream.own_mask, gate)
    listening, deaf = hearing.listening, hearing.deaf
    heard = _joint(own.of(listening), other.of(listening), hearing.mask, _rows(stream.own_mask, listening), gate)
    alone = attend(own.of(deaf), _rows(stream.own_mask, deaf))
    return torch.cat([heard, alone])[torch.cat([listening, deaf]).argsort()]


def _joint(own: QKV, other: QKV, mask: Tensor, own_mask: Tensor | None, gate: Tensor | None) -> Tensor:
    pooled = attend_jointly(own, other, mask)
    if gate is None:
        return pooled
    alone = attend(own, own_mask)
    return torch.lerp(alone, pooled, gate.to(alone.dtype)[:, None, None])  # [h, 1, 1] over [b, h, n, d]


def _rows(mask: Tensor | None, clips: Tensor) -> Tensor | None:
    return None if mask is None else mask[clips]


def _close(hidden: Tensor, attended: Tensor, block: Block, modulation: Tensor, stream: StreamConditions) -> Tensor:
    return block.close(hidden, attended, modulation, stream.valid)


def _leave(hidden: Tensor, branch: Any, modulation: Modulation) -> Tensor:
    return branch.trunk.leave(hidden, modulation)


def _counted(frames: Frames, step: Float[Tensor, " b"]) -> Float[Tensor, "b1 n"]:
    """Positions 0, step, 2 step, …; one row where all clips have the same."""
    steps = step[:1] if bool((step == step[0]).all()) else step
    return torch.arange(frames.padded, device=step.device) * steps[:, None]


def _balanced_audio_mask(audio: Frames, motion: Frames, windows: Windows | None, dtype: torch.dtype) -> Tensor:
    return balanced(audio_mask(audio, motion, windows, dtype), audio.padded)


def _shared(mask: Float[Tensor, "b 1 n k"]) -> Float[Tensor, "b1 1 n k"]:
    """One row where all clips have the same mask."""
    return mask[:1] if bool((mask == mask[:1]).all()) else mask
