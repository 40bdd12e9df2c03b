"""Who gets which voice."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.tools import Tools
from models.cascade.bank import BankVoice, blends, voice_bank
from models.cascade.cast import OriginalVoice, cast_voices
from models.cascade.speak import SpeakResources
from models.weights.resolve import speaker_encoder
from schemas.errors import RequestError, WeightsError

RESOURCES = SpeakResources(Path("unused"), None, 1, Tools(Path("ffmpeg"), Path("ffprobe"), 1.0))
BANK = voice_bank(speaker_encoder().ref.sha256)


def original(voice: BankVoice) -> OriginalVoice:
    return OriginalVoice(voice.embedding, voice.median_f0_hz)


def test_the_bank_holds_every_blend_at_unit_length() -> None:
    assert tuple(voice.blend for voice in BANK) == blends()
    assert all(sum(weight for _, weight in voice.blend) == 1 for voice in BANK)
    assert np.allclose([np.linalg.norm(voice.embedding) for voice in BANK], 1, atol=1e-3)
    assert all(80 < voice.median_f0_hz < 350 for voice in BANK)


def test_a_bank_of_another_encoder_is_refused() -> None:
    with pytest.raises(WeightsError, match="another speaker encoder"):
        voice_bank("0" * 64)


def test_each_packaged_voice_is_cast_as_itself() -> None:
    for voice in BANK[:5]:
        (cast,) = cast_voices({"A": original(voice)}, resources=RESOURCES, language="es")
        assert cast.blend == voice.blend and cast.similarity > 0.99


def test_a_voice_that_is_not_understood_is_not_cast_though_it_sounds_alike() -> None:
    unclear = next(voice for voice in BANK if voice.blend == (("jf_alpha", 1.0),))
    (cast,) = cast_voices({"A": original(unclear)}, resources=RESOURCES, language="fr")
    assert ("jf_alpha", 1.0) not in cast.blend and ("jf_alpha", 0.75) not in cast.blend


@given(st.permutations(range(len(BANK))), st.integers(1, 8))
@settings(max_examples=25)
def test_different_speakers_get_different_voices_whatever_their_order(order: list[int], count: int) -> None:
    originals = {f"S{index}": original(BANK[index]) for index in order[:count]}
    cast = cast_voices(originals, resources=RESOURCES, language="es")
    assert [voice.speaker for voice in cast] == list(originals)
    assert len({voice.blend for voice in cast}) == count
    backwards = dict(reversed(originals.items()))
    assert set(cast) == set(cast_voices(backwards, resources=RESOURCES, language="es"))


@pytest.mark.parametrize("f0_hz", [95.0, 120.0, 200.0, 240.0])
def test_pitch_is_kept_within_a_third(f0_hz: float) -> None:
    (cast,) = cast_voices({"A": OriginalVoice(None, f0_hz)}, resources=RESOURCES, language="es")
    chosen = next(voice for voice in BANK if voice.blend == cast.blend)
    assert 0.75 < chosen.median_f0_hz / f0_hz < 1.33


def test_a_low_voice_is_not_cast_high_though_it_sounds_alike() -> None:
    high = max(BANK, key=lambda voice: voice.median_f0_hz)
    (cast,) = cast_voices({"A": OriginalVoice(high.embedding, 100.0)}, resources=RESOURCES, language="es")
    assert next(voice for voice in BANK if voice.blend == cast.blend).median_f0_hz < 160


def test_more_speakers_than_voices_share_evenly() -> None:
    crowd = {f"S{index:03}": OriginalVoice(None, None) for index in range(2 * len(BANK) + 3)}
    used = [voice.blend for voice in cast_voices(crowd, resources=RESOURCES, language="es")]
    counts = [used.count(blend) for blend in set(used)]
    assert len(counts) == len(BANK) and max(counts) - min(counts) <= 1


def test_nobody_speaks() -> None:
    assert cast_voices({}, resources=RESOURCES, language="es") == ()


def test_an_unknown_language_is_a_bad_request() -> None:
    with pytest.raises(RequestError, match="xx"):
        cast_voices({"A": OriginalVoice(None, None)}, resources=RESOURCES, language="xx")
