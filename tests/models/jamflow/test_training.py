"""Theorems of a training step, and that small models learn."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given as sometimes
from hypothesis import settings
from hypothesis import strategies as st

from models.jamflow.chance import STAGE_1, AudioClips, Batch, Draw, MotionClips, Recipe, draw
from models.jamflow.conditions import Pair
from models.jamflow.config import COUPLING, JamFlowConfig, JointConfig, MotionConfig, audio, trunk
from models.jamflow.ema import Ema
from models.jamflow.joint import JamFlow
from models.jamflow.training import conditions_of, freeze_audio, losses, train_step, without_features

MOUTH, REST, FEATURES = 5, 3, 6
OPEN = replace(COUPLING, is_gated=False)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch_of(mel: list[int], motion: list[int], seed: int = 0) -> Batch:
    """Clips of random numbers; a smooth course in time, so that they can be learned."""
    generator, clips = seeded(seed), len(mel)

    def course(frames: int, width: int) -> torch.Tensor:
        steps = torch.linspace(0, 6, frames)[None, :, None]
        return torch.sin(steps + 6 * torch.rand(clips, 1, width, generator=generator))

    sound = AudioClips(
        mel=course(max(mel), 100),
        tokens=torch.randint(0, 50, (clips, 6), generator=generator),
        lengths=torch.tensor(mel),
    )
    face = MotionClips(
        mouth=course(max(motion), MOUTH),
        rest=course(max(motion), REST),
        visible=torch.ones(clips, max(motion), dtype=torch.bool),
        lengths=torch.tensor(motion),
        has_rest=torch.ones(clips, dtype=torch.bool),
        features=course(max(motion), FEATURES),
    )
    return Batch(sound, face)


def new_model(coupling: JointConfig = OPEN, features: int = 0) -> JamFlow:
    torch.manual_seed(0)
    config = JamFlowConfig(
        audio(replace(trunk(64, 2, 2, 32), dropout=0.0), 32, 1, 50),
        MotionConfig(replace(trunk(48, 2, 2, 32), dropout=0.0), MOUTH, REST, 3.75, features),
        coupling,
    )
    return JamFlow(config)


def grown(coupling: JointConfig = COUPLING, features: int = FEATURES) -> JamFlow:
    """A model after a few steps: a fresh one has zeros through which no gradient passes."""
    model = new_model(coupling, features)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=seeded(5)))
    return model


# Chance


@sometimes(st.lists(st.tuples(st.integers(2, 60), st.integers(0, 20)), min_size=1, max_size=6), st.integers(0, 99))
@settings(max_examples=60)
def test_what_is_hidden(sizes: list[tuple[int, int]], seed: int) -> None:
    mel, motion = (list(lengths) for lengths in zip(*sizes, strict=True))
    motion = motion if any(motion) else [1] * len(mel)
    chosen = draw(batch_of(mel, motion), Recipe(), seeded(seed))
    for row, n in enumerate(mel):
        for hidden, length, t in zip(chosen.hidden, (n, motion[row]), chosen.t, strict=True):
            places = hidden[row].nonzero().flatten()
            if not len(places):
                assert t[row] == 1
                continue
            assert int(places[-1] - places[0]) + 1 == len(places)  # one span
            assert 0 < t[row] < 1
            assert int(places[-1]) < length and 0.7 * length <= len(places) <= length
        assert any(hidden[row].any() for hidden in chosen.hidden)  # there is always something to learn


def test_the_mixture_and_the_dropout_have_their_rates() -> None:
    chosen = draw(batch_of([8] * 4000, [4] * 4000), Recipe(), seeded())
    audio_hidden, motion_hidden = (hidden.any(dim=1) for hidden in chosen.hidden)
    for share in (motion_hidden & ~audio_hidden, audio_hidden & ~motion_hidden, audio_hidden & motion_hidden):
        assert float(share.float().mean()) == pytest.approx(1 / 3, abs=0.03)
    drops = [chosen.drops_audio, chosen.drops_mouth, chosen.drops_text, chosen.drops_rest]
    assert [float(d.float().mean()) for d in drops] == pytest.approx([0.1, 0.1, 0.2, 0.8], abs=0.02)
    # Drawn for each clip and each condition: both at once as often as by chance.
    assert float((chosen.drops_text & chosen.drops_rest).float().mean()) == pytest.approx(0.16, abs=0.02)
    both = audio_hidden & motion_hidden
    shared = (chosen.t.audio == chosen.t.motion)[both]
    assert float(shared.float().mean()) == pytest.approx(0.5, abs=0.04)
    assert torch.equal(chosen.t.audio, draw(batch_of([8] * 4000, [4] * 4000), Recipe(), seeded()).t.audio)


def test_clips_without_motion_always_hide_sound() -> None:
    chosen = draw(batch_of([9] * 40, [0, 4] * 20), replace(Recipe(), hide_motion_only=1.0), seeded())
    audio_hidden = chosen.hidden.audio.any(dim=1)
    assert audio_hidden[::2].all() and not audio_hidden[1::2].any()


def test_dropped_conditions_are_not_given() -> None:
    batch, dropped = batch_of([20, 20], [5, 5]), torch.tensor([True, False])
    hidden = Pair(torch.arange(20) < torch.full((2, 1), 15), torch.arange(5) < torch.full((2, 1), 4))
    chosen = draw(batch, Recipe(), seeded())
    given = conditions_of(batch, Draw(hidden, chosen.noise, chosen.t, dropped, dropped, dropped, dropped))
    for known in (given.audio.known, given.motion.mouth_known, given.motion.rest_known, given.motion.features_known):
        assert not known[0].any() and known[1].any()
    assert given.audio.has_text.tolist() == [False, True]


@torch.no_grad()
def test_unseen_faces_are_neither_shown_nor_learned() -> None:
    model, batch = grown().eval(), batch_of([20], [5])
    unseen = torch.tensor([False, False, True, True, False])
    face = replace(batch.motion, visible=~unseen[None])
    elsewhere = replace(face, mouth=face.mouth + 9 * unseen[None, :, None], rest=face.rest - 9 * unseen[None, :, None])
    two = replace(batch, motion=face), replace(batch, motion=elsewhere)
    shown = draw(batch, Recipe(hide_motion_only=0, hide_audio_only=1, drop_mouth=0, drop_rest=0), seeded())
    given = conditions_of(two[0], shown).motion
    assert not given.mouth_known[0, unseen].any() and not given.rest_known[0, unseen].any()
    assert given.mouth_known[0, ~unseen].all() and given.rest_known[0, ~unseen].all()
    assert float(losses(model, two[0], shown).audio) == float(losses(model, two[1], shown).audio)
    hidden = draw(batch, Recipe(hide_motion_only=0, hide_audio_only=0), seeded())
    far = replace(hidden, noise=Pair(hidden.noise.audio, hidden.noise.motion + 50 * unseen[None, :, None]))
    assert float(losses(model, two[0], far).motion) < 10 < float(losses(model, batch, far).motion)


# Losses


@torch.no_grad()
def test_the_rest_of_an_imagined_face_is_not_given() -> None:
    model, batch = grown().eval(), batch_of([20, 20], [5, 5])
    motion = replace(batch.motion, has_rest=torch.tensor([True, False]))
    chosen = replace(draw(batch, Recipe(), seeded()), drops_rest=torch.tensor([False, False]))
    assert conditions_of(Batch(batch.audio, motion), chosen).motion.rest_known.any(dim=1).tolist() == [True, False]
    before = losses(model, Batch(batch.audio, motion), chosen).total
    for row, is_seen in enumerate((True, False)):
        rest = motion.rest.clone()
        rest[row] += 1
        after = losses(model, Batch(batch.audio, replace(motion, rest=rest)), chosen).total
        assert bool(after != before) == is_seen


@torch.no_grad()
def test_losses_count_hidden_frames_only() -> None:
    batch, model = batch_of([20, 14], [5, 4]), new_model().eval()
    chosen = draw(batch, Recipe(), seeded())
    shown = ~chosen.hidden.audio
    other = replace(chosen, noise=Pair(torch.where(shown[..., None], 7.0, chosen.noise.audio), chosen.noise.motion))
    # A fresh model predicts zero wherever it looks, so only the target counts.
    assert torch.equal(losses(model, batch, chosen).audio, losses(model, batch, other).audio)
    assert float(losses(model, batch, chosen).total) == pytest.approx(
        float(losses(model, batch, chosen).audio + losses(model, batch, chosen).motion)
    )


def row_of(batch: Batch, chosen: Draw, row: int) -> tuple[Batch, Draw]:
    """One clip of a batch without its padding, and what chance decided of it."""
    own, sound, face = slice(row, row + 1), batch.audio, batch.motion
    n, m = int(sound.lengths[row]), int(face.lengths[row])
    alone = Batch(
        AudioClips(sound.mel[own, :n], sound.tokens[own], sound.lengths[own]),
        MotionClips(
            *(part[own, :m] for part in (face.mouth, face.rest, face.visible)),
            face.lengths[own],
            face.has_rest[own],
            face.features[own, :m],
        ),
    )
    cut = [Pair(pair.audio[own, :n], pair.motion[own, :m]) for pair in (chosen.hidden, chosen.noise)]
    drops = (chosen.drops_audio, chosen.drops_mouth, chosen.drops_text, chosen.drops_rest)
    return alone, Draw(*cut, Pair(chosen.t.audio[own], chosen.t.motion[own]), *(drop[own] for drop in drops))


@torch.no_grad()
def test_a_padded_batch_has_the_loss_of_its_clips() -> None:
    model, batch = grown().eval(), batch_of([20, 13], [5, 3])
    chosen = draw(batch, Recipe(hide_motion_only=0, hide_audio_only=0), seeded())
    together = losses(model, batch, chosen)
    alone = [losses(model, *row_of(batch, chosen, row)) for row in range(2)]
    for stream in ("audio", "motion"):
        counts = getattr(chosen.hidden, stream).sum(dim=1)
        apart = sum(float(getattr(found, stream)) * int(count) for found, count in zip(alone, counts, strict=True))
        assert float(getattr(together, stream)) == pytest.approx(apart / int(counts.sum()), rel=1e-4)


# Steps

MODES: dict[str, tuple[Recipe, Callable[[Batch], Batch]]] = {
    "joint": (Recipe(hide_motion_only=0, hide_audio_only=0), lambda b: b),
    "audio from motion": (Recipe(hide_motion_only=0, hide_audio_only=1, drop_mouth=0), lambda b: b),
    "motion from audio": (Recipe(hide_motion_only=1, drop_audio=0), lambda b: b),
    "audio alone": (Recipe(), lambda b: replace(b, motion=None)),
    "stage 1": (replace(STAGE_1, drop_audio=0.0), lambda b: replace(b, audio=None)),
    "mixed with clips of sound": (
        Recipe(),
        lambda b: replace(b, motion=replace(b.motion, lengths=torch.tensor([8, 0]))),
    ),
}


@pytest.mark.parametrize("mode", MODES)
def test_one_batch_is_overfitted(mode: str) -> None:
    recipe, of = MODES[mode]
    model = new_model(features=FEATURES)
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3)
    batch = of(batch_of([30, 26], [8, 7]))
    generator = seeded(2)
    steps = [train_step(model, optimiser, batch, draw(batch, recipe, generator)) for _ in range(150)]
    first, last = (sum(float(step.losses.total) for step in part) for part in (steps[:15], steps[-15:]))
    assert last < 0.55 * first


def test_gradient_reaches_every_parameter() -> None:
    model, batch = grown(), batch_of([30, 26], [8, 7])
    losses(model, batch, draw(batch, Recipe(hide_motion_only=0, hide_audio_only=0), seeded())).total.backward()
    without = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    assert not without


def test_a_frozen_audio_branch_stays_and_its_gates_learn() -> None:
    model, batch = grown(), batch_of([30, 26], [8, 7])
    freeze_audio(model)
    before = {name: p.clone() for name, p in model.named_parameters()}
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0)
    train_step(model, optimiser, batch, draw(batch, Recipe(hide_motion_only=0, hide_audio_only=0), seeded()))
    changed = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert changed and not any(name.startswith("audio.") for name in changed) and "gates" in changed


@pytest.mark.parametrize("is_recomputed", [False, True])
def test_bfloat16_steps_stay_near(is_recomputed: bool) -> None:
    batch, found = batch_of([30, 26], [8, 7]), []
    for autocast in (None, torch.bfloat16):
        model = grown()
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        chosen = draw(batch, Recipe(hide_motion_only=0, hide_audio_only=0), seeded())
        found.append(train_step(model, optimiser, batch, chosen, autocast=autocast, recompute=is_recomputed))
        assert all(p.dtype == torch.float32 for p in model.parameters())
    assert float(found[1].losses.total) == pytest.approx(float(found[0].losses.total), rel=0.02)
    assert found[1].gradient_norm == pytest.approx(found[0].gradient_norm, rel=0.05)


def test_gradients_are_clipped() -> None:
    model, batch = grown(), batch_of([30], [8])
    before = [p.clone() for p in model.parameters()]
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0)
    step = train_step(model, optimiser, batch, draw(batch, Recipe(), seeded()), clip_norm=1e-3)
    moved = sum(float((p - b).detach().square().sum()) for p, b in zip(model.parameters(), before, strict=True)) ** 0.5
    assert step.gradient_norm > 1e-3 and moved == pytest.approx(1e-3, rel=0.01)


def test_stage_2_begins_with_stage_1_s_weights_without_the_features() -> None:
    first = grown()
    second = without_features(first)
    assert second.motion.features is None and second.config == first.config.without_features()
    assert all(torch.equal(p, dict(first.named_parameters())[name]) for name, p in second.named_parameters())
    batch = batch_of([30], [8])
    chosen = replace(draw(batch, Recipe(), seeded()), drops_audio=torch.tensor([True]))
    # Features that are withheld are features that are not there.
    silent = replace(batch, motion=replace(batch.motion, features=torch.zeros(1, 8, FEATURES)))
    for of in (first, second):
        of.eval()
    torch.testing.assert_close(losses(first, silent, chosen).motion, losses(second, batch, chosen).motion)


# Averages


def test_averages_follow_and_settle() -> None:
    model = torch.nn.Linear(2, 1)
    ema = Ema(model, decay=0.9)
    with torch.no_grad():
        model.weight.fill_(5)
    ema.update(model)
    early = min(0.9, 2 / 11)
    assert (ema.averages["weight"] < 5).all() and early < 0.9
    for _ in range(200):
        ema.update(model)
    assert torch.allclose(ema.averages["weight"], torch.full((1, 2), 5.0), atol=1e-4)


def test_averages_go_on_from_their_state() -> None:
    model = torch.nn.Linear(2, 1)
    one, other = Ema(model, 0.99), Ema(model, 0.99)
    for _ in range(3):
        with torch.no_grad():
            model.weight.add_(1)
        one.update(model)
    other.load_state_dict(one.state_dict())
    for ema in (one, other):
        ema.update(model)
    assert torch.equal(one.averages["weight"], other.averages["weight"]) and one.updates == other.updates == 4
    copy: Any = torch.nn.Linear(2, 1)
    one.copy_to(copy)
    assert torch.equal(copy.weight.detach(), one.averages["weight"])
