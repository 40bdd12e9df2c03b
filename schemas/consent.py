"""The record of a person's consent to have their voice cloned."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.artifact import Sha256
from schemas.value import Value

ConsentUse = Literal["dub", "speak", "revoice"]
ANY_LANGUAGE = "*"
ScopeLanguage = Annotated[str, Field(pattern=r"^(\*|[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)$")]
Named = Annotated[str, Field(min_length=1, pattern=r"\S")]


class ConsentScope(Value):
    """What the cloned voice may be used for. `*` is every language; `es` covers `es-419`, not the other way round."""

    languages: tuple[ScopeLanguage, ...] = Field(min_length=1)
    uses: tuple[ConsentUse, ...] = Field(min_length=1)
    commercial: bool = False


class ConsentRecord(Value):
    """A JSON file that says who allowed what with which recording of a voice.

    The recording is named by its hash, or by the speaker's label in the source (S1, or the script's name), or both.
    """

    person: Named = Field(description="whose voice it is")
    given_by: Named = Field(description="who gave the consent: the person, or who may speak for them")
    given_on: date
    expires_on: date = Field(description="the last day on which it holds")
    scope: ConsentScope
    contact: Named = Field(description="where the person, or who spoke for them, is reached")
    recording_sha256: Sha256 | None = Field(None, description="of the reference recording, or of the source video")
    speaker: Named | None = Field(None, description="the speaker's label in the source")

    @model_validator(mode="after")
    def _says_which_voice_and_when(self) -> Self:
        if self.recording_sha256 is None and self.speaker is None:
            raise ValueError("name the voice by recording_sha256, by speaker, or by both")
        if self.expires_on < self.given_on:
            raise ValueError(f"it expires on {self.expires_on}, before it was given on {self.given_on}")
        return self


class ConsentUsed(Value):
    """What a receipt keeps of a consent: which file, whose voice, and what was allowed."""

    record_sha256: Sha256
    person: str
    given_by: str
    given_on: date
    expires_on: date
    scope: ConsentScope
