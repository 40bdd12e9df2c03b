"""Whether a voice may be cloned: a consent record is read and held against the request before any work."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import ValidationError

from media.small_file import read_small
from schemas.consent import ANY_LANGUAGE, ConsentRecord, ConsentUse, ConsentUsed
from schemas.errors import RequestError

HOW = "see docs/engine-jamflow.md for its form"


@dataclass(frozen=True)
class Consent:
    """A record, and the hash and name of the file that it came in."""

    record: ConsentRecord
    sha256: str
    name: str

    @property
    def used(self) -> ConsentUsed:
        """What a receipt keeps of it."""
        own = self.record
        return ConsentUsed(
            record_sha256=self.sha256,
            person=own.person,
            given_by=own.given_by,
            given_on=own.given_on,
            expires_on=own.expires_on,
            scope=own.scope,
        )


@dataclass(frozen=True)
class Cloning:
    """What a voice is to be cloned for.

    Attributes:
        use: The command.
        language: Of what is to be said; None where there is no text.
        commercial: Whether the result is to be sold.
        recording_sha256: Of the file that the voice is taken from.
        recording: Its name, for people.
    """

    use: ConsentUse
    language: str | None
    commercial: bool
    recording_sha256: str
    recording: str


def read_consent(path: Path) -> Consent:
    """Read a consent record. Raises: RequestError, which names the file and what is wrong with it."""
    data = read_small(path, "consent record")
    try:
        record = ConsentRecord.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the record"
        raise RequestError(f"{path} is no consent record: {where}: {first['msg']}; {HOW}") from error
    return Consent(record, hashlib.sha256(data).hexdigest(), path.name)


def check_consent(consent: Consent | None, cloning: Cloning, today: date) -> None:
    """Refuse to clone a voice that nobody, or not for this, or no longer, has allowed.

    Raises: RequestError.
    """
    if consent is None:
        raise RequestError(
            f"cloning the voice of {cloning.recording} needs its owner's consent: pass --consent FILE ({HOW}), "
            "or speak in a packaged voice"
        )
    record, scope = consent.record, consent.record.scope
    problems = (
        (today < record.given_on, f"it holds only from {record.given_on} on"),
        (today > record.expires_on, f"it expired on {record.expires_on}: ask {record.contact} for a new one"),
        (cloning.use not in scope.uses, f"it allows {', '.join(scope.uses)}, not {cloning.use}"),
        (cloning.commercial and not scope.commercial, "it does not allow commercial use"),
        (not _covers(scope.languages, cloning.language), f"it allows {', '.join(scope.languages)}, not this language"),
        (
            record.recording_sha256 not in (None, cloning.recording_sha256),
            f"it is for another recording than {cloning.recording} (sha256 {str(record.recording_sha256)[:12]}…, "
            f"this one is {cloning.recording_sha256[:12]}…)",
        ),
        (
            cloning.use != "dub" and record.recording_sha256 is None,
            f"it names a speaker of some source, but not {cloning.recording}: add recording_sha256",
        ),
    )
    for is_so, what in problems:
        if is_so:
            raise RequestError(f"{consent.name} does not allow cloning {record.person}'s voice here: {what}")


def _covers(languages: Sequence[str], wanted: str | None) -> bool:
    if wanted is None or ANY_LANGUAGE in languages:
        return True
    parts = wanted.lower().split("-")
    whole = {"-".join(parts[: end + 1]) for end in range(len(parts))}
    return any(language.lower() in whole for language in languages)


def own_voices(consent: Consent | None, speakers: Sequence[str]) -> tuple[str, ...]:
    """Which speakers of a source keep their own voices: the one that the record is about.

    Raises: RequestError, where the record does not say who of several it is about, or names nobody who speaks here.
    """
    if consent is None:
        return ()
    check_person(consent, speakers)
    label = consent.record.speaker
    if label is not None and label not in speakers:
        raise RequestError(
            f"{consent.name} is about the speaker {label!r}, who does not speak here: the speakers are "
            f"{', '.join(speakers)}"
        )
    return tuple(speakers) if label is None else (label,)


def check_person(consent: Consent, speakers: Sequence[str]) -> None:
    """Raises: RequestError, where the record does not say which of several speakers it is about."""
    if consent.record.speaker is None and len(speakers) > 1:
        raise RequestError(
            f"{consent.name} does not say which of the {len(speakers)} speakers {consent.record.person} is: add "
            f'"speaker", one of {", ".join(speakers)}'
        )
