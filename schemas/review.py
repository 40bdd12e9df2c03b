"""What a person says to a script before it is spoken, and to takes before they are delivered."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from schemas.artifact import ArtifactRef, Sha256
from schemas.value import Value

ReviewStage = Literal["script", "takes"]


class Answer(Value):
    """One answer. Edits before speaking are spoken as they are; after it, they are spoken and shown again."""

    decision: Literal["approve", "reject"] = Field("approve", title="Decision")
    reviewer: str = Field("", title="Reviewer", description="your name; it goes into the receipt", max_length=200)
    reason: str = Field("", title="Reason", description="why it is rejected, or a remark", max_length=2000)
    edits: str = Field(
        "",
        title="Edited lines",
        description="each on a line of its own, as 'L0001: the new text'; no text: the original voice is kept",
        max_length=200_000,
    )
    script: str = Field(
        "",
        title="Edited script",
        description="path or s3:// URL of a whole new script (SRT, WebVTT, JSON, CSV) in place of edited lines",
        max_length=1000,
    )


class Question(Value):
    """What is put before people; `page` shows it to them in Markdown."""

    stage: ReviewStage
    subject: Sha256 = Field(description="hash of what is reviewed")
    script: ArtifactRef = Field(description="the script as it stands, JSON")
    transcript: ArtifactRef = Field(description="what was recognised, JSON: a new script is laid over it")
    duration_s: float = Field(gt=0, description="of the video")
    page: str


class Review(Value):
    """A question of a run, and its answer; None: it is open. `revision` is the script that holds since."""

    run_id: str
    question: Question
    asked_at: datetime
    answer: Answer | None = None
    given_at: datetime | None = None
    revision: ArtifactRef | None = None


class Approval(Value):
    """What a receipt says of an answer."""

    stage: ReviewStage
    reviewer: str
    reason: str
    given_at: datetime
