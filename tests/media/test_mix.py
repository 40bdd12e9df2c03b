"""The mix as a sum: null test, length, levels, fades; on synthetic and on real voices."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from media.loudness import integrated_lufs
from media.mix import MAX_LINE_DEVIATION_DB, PlacedLine, mix_lines, speech_level_db
from schemas.media import TimeSpan

RATE_HZ = 16000


def _speechlike(seed: int, duration_s: float, level_db: float = -20.0) -> np.ndarray:
    """Noise in syllables, with pauses."""
    random = np.random.default_rng(seed)
    syllables = np.repeat(random.uniform(0, 1, int(duration_s * 5) + 1) > 0.3, RATE_HZ // 5)
    noise = random.normal(0, 10 ** (level_db / 20), int(duration_s * RATE_HZ))
    return (noise * syllables[: len(noise)]).astype(np.float32)


lines_of_any_place = st.lists(
    st.tuples(st.floats(0, 2.5), st.floats(0, 1.0), st.integers(0, 1000), st.booleans()), max_size=4
)


@settings(max_examples=30, deadline=None)
@given(placed=lines_of_any_place, layout=st.sampled_from([("mono", 1), ("stereo", 2), ("5.1(side)", 6), ("", 9)]))
def test_the_mix_is_the_sum_of_its_stems_and_as_long(
    placed: list[tuple[float, float, int, bool]], layout: tuple[str, int]
) -> None:
    name, channels = layout
    background = np.random.default_rng(0).normal(0, 0.1, (2 * RATE_HZ, channels)).astype(np.float32)
    lines = [
        PlacedLine(start_s, _speechlike(seed, duration_s), _speechlike(seed + 1, 1.0) if has_reference else None)
        for start_s, duration_s, seed, has_reference in placed
    ]
    result = mix_lines(background, lines, RATE_HZ, name)
    assert result.mix.shape == result.dialogue.shape == background.shape
    assert result.mix.dtype == result.dialogue.dtype == np.float32
    np.testing.assert_array_equal(result.mix, background + result.dialogue)
    assert len(result.line_gains_db) == len(result.line_cuts_s) == len(lines)
    for line, cut_s in zip(lines, result.line_cuts_s, strict=True):
        beyond = round(line.start_s * RATE_HZ) + len(line.samples) - len(background)
        assert cut_s * RATE_HZ == pytest.approx(min(max(0, beyond), len(line.samples)))


def test_lines_go_into_the_centre_or_into_left_and_right() -> None:
    line = PlacedLine(0.0, _speechlike(1, 0.9), None)
    for layout, channels, expected in [
        ("mono", 1, {0}),
        ("stereo", 2, {0, 1}),
        ("5.1(side)", 6, {2}),
        ("7.1", 8, {2}),
        ("quad", 4, {0, 1}),
    ]:
        dialogue = mix_lines(np.zeros((RATE_HZ, channels), np.float32), [line], RATE_HZ, layout).dialogue
        assert set(np.flatnonzero(np.abs(dialogue).max(axis=0))) == expected, layout


@pytest.mark.parametrize(("layout", "channels", "voice"), [("mono", 1, [0]), ("stereo", 2, [0, 1]), ("5.1", 6, [2])])
def test_a_line_is_as_loud_as_the_voice_it_replaces(layout: str, channels: int, voice: list[int]) -> None:
    """Measured by another meter, BS.1770 with its own gate, on all channels together."""
    original = np.zeros((4 * RATE_HZ, channels), np.float32)
    original[:, voice] = _speechlike(2, 4.0, level_db=-33.0)[:, None]
    line = PlacedLine(0.0, _speechlike(3, 4.0, level_db=-15.0), original)
    result = mix_lines(np.zeros_like(original), [line], RATE_HZ, layout)
    before, after = integrated_lufs(original, RATE_HZ, layout), integrated_lufs(result.dialogue, RATE_HZ, layout)
    assert after == pytest.approx(before, abs=0.5)
    mono = PlacedLine(0.0, line.samples, original[:, voice[0]])
    assert mix_lines(np.zeros_like(original), [mono], RATE_HZ, layout).line_gains_db == pytest.approx(
        result.line_gains_db
    )


def test_a_voice_of_one_side_is_matched_by_its_power() -> None:
    left_only = np.zeros((4 * RATE_HZ, 2), np.float32)
    left_only[:, 0] = _speechlike(4, 4.0)
    line = PlacedLine(0.0, 3 * left_only[::-1, 0], left_only)
    result = mix_lines(np.zeros_like(left_only), [line], RATE_HZ, "stereo")
    assert integrated_lufs(result.dialogue, RATE_HZ) == pytest.approx(integrated_lufs(left_only, RATE_HZ), abs=0.5)


def test_pauses_do_not_change_the_level() -> None:
    speech = _speechlike(6, 2.0)
    with_pauses = np.concatenate([np.zeros(RATE_HZ, np.float32), speech, np.zeros(3 * RATE_HZ, np.float32)])
    assert speech_level_db(with_pauses, RATE_HZ) == pytest.approx(speech_level_db(speech, RATE_HZ) or 0, abs=0.1)
    assert speech_level_db(np.zeros(RATE_HZ, np.float32), RATE_HZ) is None
    assert speech_level_db(np.zeros(3, np.float32), RATE_HZ) is None


def test_a_strange_reference_moves_a_line_by_12_db_at_most_and_none_means_the_median() -> None:
    spoken = _speechlike(7, 1.0)
    levels_db = (-6.0, -6.0, -40.0, 30.0)
    lines = [PlacedLine(0.0, spoken, spoken * np.float32(10 ** (level / 20))) for level in levels_db]
    lines.append(PlacedLine(0.0, spoken, None))
    lines.append(PlacedLine(0.0, spoken, np.zeros(RATE_HZ, np.float32)))
    gains_db = mix_lines(np.zeros((RATE_HZ, 1), np.float32), lines, RATE_HZ, "mono").line_gains_db
    limit = MAX_LINE_DEVIATION_DB
    assert gains_db == pytest.approx([-6.0, -6.0, -6.0 - limit, -6.0 + limit, -6.0, -6.0], abs=0.1)


def test_lines_fade_in_and_out_and_a_cut_line_fades_longer() -> None:
    steady = np.ones(RATE_HZ, np.float32)
    result = mix_lines(
        np.zeros((2 * RATE_HZ, 1), np.float32),
        [PlacedLine(0.5, steady, None), PlacedLine(1.75, steady, None)],
        RATE_HZ,
        "mono",
    )
    track = result.dialogue[:, 0]
    assert np.abs(np.diff(track)).max() < 0.02, "no step anywhere"
    assert track[RATE_HZ // 2 - 1] == 0 and track[RATE_HZ] == 1
    assert abs(track[-1]) < 1e-3
    assert result.line_cuts_s == (0.0, 0.75)


def test_the_original_voice_stays_whole_in_kept_spans() -> None:
    original = np.random.default_rng(8).normal(0, 0.1, (2 * RATE_HZ, 2)).astype(np.float32)
    background = np.random.default_rng(9).normal(0, 0.1, (2 * RATE_HZ, 2)).astype(np.float32)
    kept = [TimeSpan(start_s=0.5, end_s=1.0), TimeSpan(start_s=1.0, end_s=1.2), TimeSpan(start_s=1.9, end_s=5)]
    result = mix_lines(background, [], RATE_HZ, "stereo", kept=kept, original_dialogue=original)
    stays = slice(RATE_HZ // 2, round(1.2 * RATE_HZ))
    np.testing.assert_array_equal(result.dialogue[stays], original[stays])
    assert not result.dialogue[: round(0.49 * RATE_HZ)].any()
    assert not result.dialogue[round(1.21 * RATE_HZ) : round(1.89 * RATE_HZ)].any()
    np.testing.assert_array_equal(result.mix, background + result.dialogue)


def test_what_cannot_be_mixed_is_refused() -> None:
    background = np.zeros((RATE_HZ, 2), np.float32)
    with pytest.raises(ValueError, match="no original dialogue"):
        mix_lines(background, [], RATE_HZ, "stereo", kept=[TimeSpan(start_s=0, end_s=1)])
    with pytest.raises(ValueError, match="original dialogue is"):
        mix_lines(background, [], RATE_HZ, "stereo", original_dialogue=np.zeros((5, 2), np.float32))
    with pytest.raises(ValueError, match="0 s or later"):
        mix_lines(background, [PlacedLine(-0.1, np.zeros(5, np.float32), None)], RATE_HZ, "stereo")


@pytest.mark.shared
def test_a_real_voice_takes_the_level_of_another(shared_dir: Path) -> None:
    speech = shared_dir / "media" / "speech"
    spoken, rate_hz = soundfile.read(speech / "leopard_test.wav", dtype="float32")
    other, other_rate_hz = soundfile.read(speech / "libri_1089-134686-0000.wav", dtype="float32")
    assert rate_hz == other_rate_hz
    quiet = other * np.float32(0.1)
    result = mix_lines(np.zeros((len(other), 2), np.float32), [PlacedLine(0.0, spoken, quiet)], rate_hz, "stereo")
    assert speech_level_db(result.dialogue[:, 1], rate_hz) == pytest.approx(speech_level_db(quiet, rate_hz), abs=0.3)
    by_another_gate = integrated_lufs(np.stack([quiet, quiet], axis=1), rate_hz)
    assert integrated_lufs(result.dialogue, rate_hz) == pytest.approx(by_another_gate, abs=1.5)
