"""Durations, chunks and prompts: upstream's own numbers, and what holds for any text."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.jamflow.chunks import _CLAUSE_END, LONGEST_S, max_chunk_bytes, split_text
from models.jamflow.duration import LARGEST_FRAMES, SHORT_TEXT_BYTES, duration_frames, sampled_frames, size_bytes
from models.jamflow.prompt import TARGET_RMS, raise_loudness, with_full_stop, with_space
from schemas.errors import MediaError, RequestError

ENTRIES = {
    "duration": 20,
    "duration_floor": 10,
    "chunk_text": 20,
    "max_chars": 6,
    "ref_text_ending": 8,
    "rms": 5,
}
TEXT = st.text(st.one_of(st.sampled_from("ab .,;:!?\n；：，。！？好é"), st.characters(exclude_categories=("Cs",))))


@pytest.fixture(scope="module")
def rules(shared_dir: Path) -> dict[str, Any]:
    rules: dict[str, Any] = json.loads((shared_dir / "parity" / "f5tts.json").read_text(encoding="utf-8"))["rules"]
    return rules


@pytest.mark.shared
@pytest.mark.parametrize("kind", ENTRIES)
def test_parity_leaves_no_golden_out(rules: dict[str, Any], kind: str) -> None:
    assert len(rules[kind]) == ENTRIES[kind]


@pytest.mark.shared
@pytest.mark.parametrize("entry", range(ENTRIES["duration"]))
def test_parity_duration(rules: dict[str, Any], entry: int) -> None:
    golden = rules["duration"][entry]
    prompt_text, text = with_space(golden["ref_text"]), golden["gen_text"]
    speed, fixed_s = golden["speed"], golden["fix_duration"]
    frames = duration_frames(golden["ref_samples"], prompt_text, text, speed=speed, fixed_s=fixed_s)
    assert frames == golden["expect"]["duration"]
    assert golden["expect"]["text"] in (None, prompt_text + text)


@pytest.mark.shared
@pytest.mark.parametrize("entry", range(ENTRIES["duration_floor"]))
def test_parity_duration_floor(rules: dict[str, Any], entry: int) -> None:
    golden = rules["duration_floor"][entry]
    frames = sampled_frames(golden["duration"], prompt_frames=golden["cond_frames"], text_tokens=golden["text_tokens"])
    assert frames == golden["expect"]["frames"]


@pytest.mark.shared
@pytest.mark.parametrize("entry", range(ENTRIES["chunk_text"]))
def test_parity_chunk_text(rules: dict[str, Any], entry: int) -> None:
    golden = rules["chunk_text"][entry]
    assert split_text(golden["text"], golden["max_chars"]) == golden["expect"]["chunks"]


@pytest.mark.shared
@pytest.mark.parametrize("entry", range(ENTRIES["max_chars"]))
def test_parity_max_chars(rules: dict[str, Any], entry: int) -> None:
    golden = rules["max_chars"][entry]
    prompt_s = golden["ref_samples"] / golden["rate"]
    assert max_chunk_bytes(prompt_s, golden["ref_text"], speed=golden["speed"]) == golden["expect"]["max_chars"]


@pytest.mark.shared
@pytest.mark.parametrize("entry", range(ENTRIES["ref_text_ending"]))
def test_parity_ref_text_ending(rules: dict[str, Any], entry: int) -> None:
    golden = rules["ref_text_ending"][entry]
    assert with_full_stop(golden["ref_text"]) == golden["expect"]["ref_text"]


@pytest.mark.shared
@pytest.mark.parametrize("entry", range(ENTRIES["rms"]))
def test_parity_rms(rules: dict[str, Any], entry: int) -> None:
    golden = rules["rms"][entry]
    wave, gain = raise_loudness(torch.full((24_000,), golden["level"]))
    assert float(wave.mean()) == pytest.approx(golden["expect"]["cond_level"], rel=1e-6)
    assert gain == pytest.approx(golden["expect"]["output_gain"], rel=1e-6)


@given(st.integers(0, 10**6), st.text("ab好", min_size=1), st.integers(0, 300), st.integers(0, 300))
def test_a_longer_text_lasts_no_shorter(prompt_samples: int, prompt_text: str, one: int, other: int) -> None:
    shorter, longer = sorted((one, other))
    if (shorter < SHORT_TEXT_BYTES) == (longer < SHORT_TEXT_BYTES):  # else it may: short texts are spoken slowly
        frames = [duration_frames(prompt_samples, prompt_text, "x" * size) for size in (shorter, longer)]
        assert prompt_samples // 256 <= frames[0] <= frames[1]


@given(st.floats(0.2, 5), st.integers(SHORT_TEXT_BYTES, 300))
def test_twice_the_speed_takes_half_the_frames(speed: float, size: int) -> None:
    slow, fast = (duration_frames(25_600, "abc. ", "x" * size, speed=factor * speed) - 100 for factor in (1, 2))
    assert abs(slow - 2 * fast) <= 2


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_sampler_has_room_and_an_end(wanted: int, prompt: int, tokens: int) -> None:
    frames = sampled_frames(wanted, prompt_frames=prompt, text_tokens=tokens)
    assert frames <= LARGEST_FRAMES
    assert frames == LARGEST_FRAMES or (frames >= wanted and frames > prompt and frames > tokens)
    assert frames in (wanted, prompt + 1, tokens + 1, LARGEST_FRAMES)


@given(TEXT, st.integers(0, 60))
def test_chunks_lose_nothing_but_spaces(text: str, max_bytes: int) -> None:
    assert "".join("".join(split_text(text, max_bytes)).split()) == "".join(text.split())


@given(TEXT, st.integers(0, 60))
def test_only_what_cannot_be_split_exceeds_the_limit(text: str, max_bytes: int) -> None:
    for chunk in split_text(text, max_bytes):
        assert size_bytes(chunk) <= max_bytes or len([part for part in _CLAUSE_END.split(chunk) if part.strip()]) == 1


@given(TEXT)
def test_a_text_that_fits_is_one_chunk(text: str) -> None:
    assert len(split_text(text, 10**6)) == (1 if text else 0)


@given(TEXT)
def test_a_prompt_ends_in_a_stop_once_and_for_all(text: str) -> None:
    ended = with_full_stop(text)
    assert ended.startswith(text) and ended.endswith((". ", "。"))
    assert with_full_stop(ended) == ended


def test_only_endings_of_one_byte_get_a_space() -> None:
    assert [with_space(text) for text in ("Yes. ", "Yes", "对。", "sí", "")] == ["Yes.  ", "Yes ", "对。", "sí", ""]


@given(st.floats(1e-4, 1.0), st.integers(1, 2000))
def test_the_gain_undoes_the_raise(level: float, samples: int) -> None:
    wave = level * torch.linspace(-1.0, 1.0, samples + 1)
    raised, gain = raise_loudness(wave)
    assert torch.allclose(raised * gain, wave, rtol=1e-5)
    assert float(raised.square().mean().sqrt()) >= TARGET_RMS * (1 - 1e-5)
    assert gain <= 1.0


def test_a_loud_prompt_is_left_alone() -> None:
    wave = torch.full((100,), 0.5)
    assert raise_loudness(wave)[0] is wave


@pytest.mark.parametrize(
    "wave", [torch.zeros(10), torch.zeros(0), torch.tensor([0.1, math.nan]), torch.full((2,), 1e38)]
)
def test_a_prompt_without_a_voice_is_refused(wave: torch.Tensor) -> None:
    with pytest.raises(MediaError, match=rf"the prompt of {len(wave)} samples has level .*somebody speaks"):
        raise_loudness(wave)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_impossible_speeds_and_lengths_are_refused(value: float) -> None:
    for wrong in (
        lambda: duration_frames(25_600, "abc. ", "long enough text", speed=value),
        lambda: duration_frames(25_600, "abc. ", "text", fixed_s=value),
        lambda: max_chunk_bytes(value, "abc. "),
        lambda: max_chunk_bytes(3.0, "abc. ", speed=value),
    ):
        with pytest.raises(RequestError, match=f"is {value}: give a number above 0"):
            wrong()


def test_a_prompt_without_text_needs_a_fixed_duration() -> None:
    with pytest.raises(RequestError, match="the prompt has no text"):
        duration_frames(25_600, "", "text")
    assert duration_frames(25_600, "", "text", fixed_s=2.0) == 187


def test_nothing_fits_beside_a_prompt_that_is_too_long() -> None:
    assert max_chunk_bytes(LONGEST_S + 8.0, "a long prompt. ") == 0
