"""Nobody's voice is cloned without a consent that is whole, in force, and for this."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import RequestError
from tasks.consent import Cloning, Consent, check_consent, own_voices, read_consent

SHA = "a" * 64
RECORD: dict[str, Any] = {
    "person": "Ada Example",
    "given_by": "Ada Example",
    "given_on": "2026-01-01",
    "expires_on": "2026-12-31",
    "scope": {"languages": ["es", "pt-BR"], "uses": ["dub", "speak"]},
    "contact": "ada@example.org",
    "recording_sha256": SHA,
}
CLONING = Cloning(use="dub", language="es-419", commercial=False, recording_sha256=SHA, recording="talk.mp4")
TODAY = date(2026, 6, 1)


@pytest.fixture
def consent(tmp_path: Path) -> Any:
    def write(**changes: Any) -> Consent:
        path = tmp_path / "consent.json"
        path.write_text(json.dumps({**RECORD, **changes}))
        return read_consent(path)

    return write


def test_a_consent_that_covers_the_use_is_accepted_and_kept_in_part(consent: Any) -> None:
    given_consent = consent()
    check_consent(given_consent, CLONING, TODAY)
    used = given_consent.used
    assert (used.person, used.scope.uses) == ("Ada Example", ("dub", "speak")) and len(used.record_sha256) == 64
    assert "ada@example.org" not in used.model_dump_json(), "a receipt is shown around; an address is not"


def test_without_a_record_nothing_is_cloned() -> None:
    with pytest.raises(RequestError, match=r"talk\.mp4 needs its owner's consent: pass --consent"):
        check_consent(None, CLONING, TODAY)


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 12, 31)])
def test_the_first_and_the_last_day_count(consent: Any, day: date) -> None:
    check_consent(consent(), CLONING, day)


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], date, str]] = {
    "expired": ({}, {}, date(2027, 1, 1), "it expired on 2026-12-31: ask ada@example.org"),
    "not yet": ({}, {}, date(2025, 12, 31), "only from 2026-01-01"),
    "another use": ({}, {"use": "revoice"}, TODAY, "allows dub, speak, not revoice"),
    "another language": ({}, {"language": "fr"}, TODAY, "allows es, pt-BR"),
    "wider language": ({}, {"language": "pt"}, TODAY, "allows es, pt-BR"),
    "commercial": ({}, {"commercial": True}, TODAY, "commercial"),
    "another recording": ({}, {"recording_sha256": "b" * 64}, TODAY, r"another recording than talk\.mp4"),
    "a label alone": (
        {"recording_sha256": None, "speaker": "S1"}, {"use": "speak"}, TODAY, "add recording_sha256",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_record_does_not_cover_is_refused(consent: Any, case: str) -> None:
    changes, asked, today, says = REFUSED[case]
    with pytest.raises(RequestError, match=says):
        check_consent(consent(**changes), replace(CLONING, **asked), today)


@given(st.sampled_from(["en", "es", "es-MX", "pt-BR", "zh-Hant-TW"]))
def test_any_language_covers_all(language: str) -> None:
    from schemas.consent import ConsentRecord

    record = ConsentRecord.model_validate({**RECORD, "scope": {"languages": ["*"], "uses": ["dub"]}})
    check_consent(Consent(record, SHA, "c.json"), replace(CLONING, language=language), TODAY)


BROKEN = {
    "no voice": {"recording_sha256": None},
    "nobody": {"person": "  "},
    "ends before it begins": {"expires_on": "2025-01-01"},
    "no uses": {"scope": {"languages": ["es"], "uses": []}},
    "unknown use": {"scope": {"languages": ["es"], "uses": ["phone calls"]}},
    "no hash": {"recording_sha256": "abc"},
    "misspelt": {"expiry": "2026-01-01"},
    "no day": {"given_on": "yesterday"},
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_record_is_told(consent: Any, case: str) -> None:
    with pytest.raises(RequestError, match=r"consent\.json is no consent record: .*docs/engine-jamflow\.md"):
        consent(**BROKEN[case])


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_a_file_that_is_no_json_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.json").write_bytes(content)
    with pytest.raises(RequestError, match=r"c\.json is no consent record"):
        read_consent(tmp_path / "c.json")
    with pytest.raises(RequestError, match=r"nowhere\.json.* cannot be read"):
        read_consent(tmp_path / "nowhere.json")


def test_only_the_person_of_the_record_keeps_their_voice(consent: Any) -> None:
    assert own_voices(None, ("S1", "S2")) == ()
    assert own_voices(consent(), ("S1",)) == ("S1",)
    assert own_voices(consent(speaker="S2"), ("S1", "S2")) == ("S2",)
    with pytest.raises(RequestError, match="which of the 2 speakers Ada Example is"):
        own_voices(consent(), ("S1", "S2"))
    with pytest.raises(RequestError, match="'S3', who does not speak here"):
        own_voices(consent(speaker="S3"), ("S1", "S2"))
