"""Theorems of the path, the solvers and the sampler."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given as sometimes
from hypothesis import settings
from hypothesis import strategies as st
from torch import Tensor

from models.jamflow.conditions import Given, Pair, stack
from models.jamflow.flow import interpolate, mean_square, velocity_target
from models.jamflow.sampler import Guidance, draw_noise, noise_for, sample
from models.jamflow.schedule import EULER, MIDPOINT, Solver, epss_grid, swayed, uniform_grid
from schemas.errors import RequestError

SOLVERS = [pytest.param(EULER, id="euler"), pytest.param(MIDPOINT, id="midpoint")]


def integrate(solver: Solver, grid: Tensor, slope: Any, x_0: float = 0.0) -> float:
    """Integrate dx/dt = slope(x, t) on the audio stream alone."""
    times = solver.times(grid)
    start = Pair(torch.full((1, 1, 1), x_0, dtype=torch.float64), None)
    end = solver.integrate(lambda x, i: Pair(slope(x.audio, float(times[i])), None), start, grid.double())
    return float(end.audio)


# The path


@sometimes(st.floats(0, 1), st.integers(0, 99))
def test_the_path_runs_from_noise_to_data_at_one_velocity(t: float, seed: int) -> None:
    x_0, x_1 = torch.randn(2, 2, 5, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    at = torch.full((2,), t, dtype=torch.float64)
    x_t, v = interpolate(x_0, x_1, at), velocity_target(x_0, x_1)
    torch.testing.assert_close(x_t + (1 - t) * v, x_1)
    torch.testing.assert_close(x_t - t * v, x_0)


def test_the_loss_counts_only_what_is_counted() -> None:
    predicted, target = torch.zeros(1, 4, 2), torch.tensor([[[1.0, 1], [2, 2], [9, 9], [9, 9]]])
    counted = torch.tensor([[True, True, False, False]])
    assert float(mean_square(predicted, target, counted)) == pytest.approx((1 + 4) / 2)
    assert float(mean_square(predicted, target, torch.zeros(1, 4, dtype=torch.bool))) == 0


# Grids and solvers


@sometimes(st.integers(1, 64), st.floats(-1, 1.75), st.booleans())
def test_a_grid_rises_from_noise_to_data(steps: int, sway: float, is_pruned: bool) -> None:
    grid = swayed((epss_grid if is_pruned else uniform_grid)(steps), sway)
    assert len(grid) == steps + 1 and grid[0] == 0
    assert math.isclose(float(grid[-1]), 1, abs_tol=1e-6) and (grid.diff() > 0).all()


@pytest.mark.parametrize("solver", SOLVERS)
@sometimes(st.integers(1, 40), st.floats(-5, 5), st.floats(-1, 1))
@settings(max_examples=30)
def test_a_constant_field_is_integrated_exactly(solver: Solver, steps: int, slope: float, sway: float) -> None:
    grid = swayed(uniform_grid(steps), sway)
    end = integrate(solver, grid, lambda x, _: torch.full_like(x, slope), x_0=0.5)
    assert end == pytest.approx(0.5 + slope * float(grid[-1]), abs=1e-6)


def test_midpoint_is_exact_for_a_field_that_rises_with_time_and_of_second_order() -> None:
    assert integrate(MIDPOINT, uniform_grid(3), lambda x, t: torch.full_like(x, 2 * t)) == pytest.approx(1, abs=1e-6)
    errors = [abs(integrate(MIDPOINT, uniform_grid(n), lambda x, t: torch.full_like(x, 3 * t * t)) - 1) for n in (4, 8)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.01)
    errors = [abs(integrate(EULER, uniform_grid(n), lambda x, _: x, x_0=1) - math.e) for n in (32, 64)]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize(("call", "told"), [
    (lambda: uniform_grid(0), "0 sampling steps: give at least 1"),
    (lambda: swayed(uniform_grid(4), -1.5), "sway coefficient -1.5: choose one from -1 to 1.75"),
])  # fmt: skip
def test_impossible_grids_are_refused(call: Any, told: str) -> None:
    with pytest.raises(RequestError, match=told):
        call()


# Noise


def test_noise_is_a_clip_s_own() -> None:
    lengths = torch.tensor([7, 4])
    noise = draw_noise(lengths, 9, 3, [5, 6])
    assert torch.equal(noise[1, :4], draw_noise(torch.tensor([4]), 4, 3, [6])[0])
    assert not noise[0, 7:].any() and not noise[1, 4:].any()
    assert torch.equal(noise, draw_noise(lengths, 9, 3, [5, 6]))


def test_the_streams_have_noise_of_their_own(small_model: Any, clip: Any) -> None:
    model = small_model()
    one, other = (noise_for(clip(n, 8)[0], model, [3]) for n in (30, 31))
    assert torch.equal(one.motion, other.motion)
    assert not torch.equal(one.audio[0, :8, :5], one.motion[0])


# Sampling

GRID = swayed(uniform_grid(3), -1.0)


def drawn(model: Any, given: Given, seeds: tuple[int, ...] = (1,), **options: Any) -> Pair[Tensor]:
    return sample(model, given, noise_for(given, model, seeds), GRID, **options)


def holding(given: Given, *, audio: bool = False, motion: bool = False) -> Given:
    """The clip with one stream given whole in place of generated."""
    no = torch.zeros(1, dtype=torch.bool)
    if audio:
        known = torch.ones_like(given.audio.known)
        return replace(given, audio=replace(given.audio, known=known, is_generated=no))
    known = torch.ones_like(given.motion.mouth_known)
    return replace(given, motion=replace(given.motion, mouth_known=known, is_generated=no)) if motion else given


def test_known_frames_come_back_untouched(small_model: Any, clip: Any) -> None:
    given, _ = clip(40, 11)
    audio, motion = drawn(small_model(), given)
    for stream, made in ((given.audio, audio), (given.motion, motion)):
        values = stream.clean
        assert torch.equal(made[stream.known], values[stream.known])
        assert not torch.equal(made[~stream.known], values[~stream.known]) and torch.isfinite(made).all()


def test_a_mel_scale_is_a_change_of_units_alone(small_model: Any, clip: Any) -> None:
    """A network that scales its mel makes of log-mel what it would make, unscaled, of what it sees."""
    plain, scaling = small_model(), small_model()
    audio = replace(scaling.config.audio, mel_mean=-2.0, mel_std=2.5)
    scaling.config = replace(scaling.config, audio=audio)
    given, _ = clip(40, 11)
    log_mel = replace(given, audio=replace(given.audio, mel=audio.unscaled(given.audio.mel)))
    made, same = drawn(scaling, log_mel), drawn(plain, given)
    torch.testing.assert_close(made.audio, audio.unscaled(same.audio), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(made.motion, same.motion, rtol=1e-3, atol=1e-3)
    known = given.audio.known
    assert torch.equal(made.audio[known], log_mel.audio.mel[known]), "what is known comes back untouched"


@pytest.mark.parametrize("held", ["audio", "motion"])
def test_a_given_stream_comes_back_and_guides_the_other(small_model: Any, clip: Any, held: str) -> None:
    model = small_model()
    given = holding(clip(40, 11)[0], **{held: True})
    other = "motion" if held == "audio" else "audio"
    made = drawn(model, given)
    assert torch.equal(getattr(made, held), getattr(given.streams, held).clean)
    changed = getattr(given, held)
    name = "mel" if held == "audio" else "mouth"
    changed = replace(given, **{held: replace(changed, **{name: getattr(changed, name) + 1})})
    assert not torch.allclose(getattr(drawn(model, changed), other), getattr(made, other), atol=1e-4)


def test_no_guidance_is_the_conditional_field_alone(small_model: Any, clip: Any) -> None:
    """Strength 0 computes no null pass; it is also what a batch with a null pass and strength near 0 gives."""
    model = small_model()
    given, _ = clip(40, 11)
    unguided = drawn(model, given, guidance=Guidance(0, 0))
    nearly = drawn(model, given, guidance=Guidance(1e-9, 1e-9))
    x = noise_for(given, model, [1])
    conditions = model.condition(given)
    for step, dt in enumerate(GRID.diff()):
        t = GRID[step : step + 1]
        v = model.velocity(x, model.modulate(Pair(t, t)), conditions)
        x = Pair(*(part + dt * slope for part, slope in zip(x, v, strict=True)))
    for stream, ours, near, by_hand in zip(given.streams, unguided, nearly, x, strict=True):
        torch.testing.assert_close(ours[~stream.known], by_hand[~stream.known], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(ours, near, rtol=1e-4, atol=1e-5)


def test_guidance_of_each_stream_is_its_own(small_model: Any, clip: Any) -> None:
    """In one step from the same noise, motion's strength does not touch sound."""
    model = small_model()
    given, _ = clip(40, 11)
    grid, noise = uniform_grid(1), noise_for(given, model, [1])
    weak, strong = (sample(model, given, noise, grid, guidance=Guidance(2, w)) for w in (0.5, 3))
    torch.testing.assert_close(weak.audio, strong.audio)
    assert not torch.allclose(weak.motion, strong.motion, atol=1e-3)


def test_the_null_pass_is_f5_tts_s(small_model: Any, clip: Any) -> None:
    null = clip(40, 11)[0].without_conditions()
    assert not (null.audio.known.any() or null.audio.has_text.any() or null.motion.mouth_known.any())
    assert not (null.motion.rest_known.any() or null.audio_listens.any() or null.motion_listens.any())
    model, (_, x) = small_model(), clip(40, 11)
    t = Pair(torch.tensor([0.4]), torch.tensor([0.4]))
    alone = model(Pair(x.audio, None), Pair(t.audio, None), replace(null, motion=None)).audio
    torch.testing.assert_close(model(x, t, null).audio, alone)


def test_the_null_pass_hears_no_audio_features(small_model: Any, clip: Any) -> None:
    """Stage 1's model, two clips, guided: its features are a condition as any other."""
    model = small_model(features=6)
    clips = []
    for seed, m in enumerate((8, 5)):
        motion = clip(20, m, seed)[0].motion
        seen = torch.ones(1, m, dtype=torch.bool)
        no = torch.zeros(1, dtype=torch.bool)
        heard = replace(motion, features=torch.randn(1, m, 6), features_known=seen)
        clips.append(Given(None, heard, no, no))
    together = drawn(model, stack(clips), (4, 9)).motion
    for row, (given, seed) in enumerate(zip(clips, (4, 9), strict=True)):
        alone = drawn(model, given, (seed,)).motion
        torch.testing.assert_close(together[row, : alone.shape[1]], alone[0], rtol=1e-3, atol=1e-4)
    assert not clips[0].without_conditions().motion.features_known.any()


def test_takes_in_one_batch_equal_takes_alone(small_model: Any, clip: Any) -> None:
    model = small_model()
    clips = [clip(40, 11)[0], clip(22, 6, seed=1)[0]]
    together = drawn(model, stack(clips), (4, 9))
    for row, (given, seed) in enumerate(zip(clips, (4, 9), strict=True)):
        for many, one in zip(together, drawn(model, given, (seed,)), strict=True):
            torch.testing.assert_close(many[row, : one.shape[1]], one[0], rtol=1e-3, atol=1e-4)
            assert not many[row, one.shape[1] :].any()


def test_midpoint_takes_its_own_times(small_model: Any, clip: Any) -> None:
    told: list[tuple[int, int]] = []
    drawn(small_model(), clip(20, 5)[0], solver=MIDPOINT, progress=lambda done, of: told.append((done, of)))
    assert told == [(i, 6) for i in range(1, 7)]


def test_batches_that_cannot_be_sampled_are_refused(small_model: Any, clip: Any) -> None:
    model, given = small_model(), clip(20, 5)[0]
    mixed = stack([given, holding(given, audio=True)])
    with pytest.raises(RequestError, match="cannot be sampled in one batch"):
        drawn(model, mixed, (1, 2))
    with pytest.raises(RequestError, match="nothing is to be generated"):
        drawn(model, holding(holding(given, audio=True), motion=True))


def test_half_precision_stays_near(small_model: Any, clip: Any) -> None:
    given = clip(40, 11)[0]
    full, half = drawn(small_model(), given), drawn(small_model().bfloat16(), given)
    for one, other in zip(full, half, strict=True):
        assert other.dtype == torch.float32
        assert (one - other).abs().mean() < 0.05 * one.abs().mean()
