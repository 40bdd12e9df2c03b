"""Many videos into many languages: what is asked for, and what became of each dub."""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from schemas.dub import DubRequest, DubSettings, LanguageTag
from schemas.value import Value

ItemState = Literal["planned", "skipped", "running", "completed", "failed"]
ItemName = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^./\\\x00-\x1f][^/\\\x00-\x1f]*$")]
Languages = Annotated[tuple[LanguageTag, ...], Field(min_length=1)]


class BatchRequest(DubSettings):
    """A batch of dubs. Renders as the form of the Prefect deployment; the settings hold for every dub."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    source: str = Field(
        title="Source", description="manifest of videos (CSV or JSONL), a folder, or s3://bucket/prefix/"
    )
    languages: Languages = Field(alias="to", title="To", description="BCP-47 tags of the dubs: es, fr, pt-BR")
    output_dir: str = Field("dubs", title="Output folder", description="gets one folder for each video and language")
    deployment: str | None = Field(
        None,
        pattern=r"^[^/]+/[^/]+$",
        title="Deployment",
        description="each dub is a run of this one, such as dub-video/production; empty: all here, in one process",
    )
    queue: str = Field("batch", min_length=1, title="Work queue", description="of the runs of the deployment")
    at_once: int = Field(1, ge=1, le=200, title="At once", description="runs of the deployment side by side")
    redo: tuple[str, ...] = Field(
        (), title="Redo", description="names (talk, or talk/es) that are done again, first, ignoring the cache"
    )
    dry_run: bool = Field(False, title="Dry run", description="only say what would be done")

    @model_validator(mode="after")
    def _some_things_need_workers(self) -> Self:
        if self.at_once > 1 and self.deployment is None:
            raise ValueError("one process dubs one video after another: for more at once, name a deployment")
        if self.review and self.deployment is None:
            raise ValueError("a review holds up its dub, and in one process all others: name a deployment")
        return self

    @property
    def settings(self) -> dict[str, object]:
        """What all dubs of the batch have in common, as fields of their requests."""
        return self.model_dump(include=set(DubSettings.model_fields))


class Item(Value):
    """One dub of a batch: one video into one language."""

    name: ItemName
    origin: str = Field(description="where the batch's source names it: a line of the manifest, or a file")
    request: DubRequest

    @property
    def title(self) -> str:
        """What people call it."""
        return f"{self.name}/{self.request.target_language}"


class ItemReport(Value):
    """What became of one dub of a batch, or would."""

    title: str
    video: str
    language: LanguageTag
    state: ItemState
    reason: str | None = Field(None, description="why it is done or skipped, or the error of one line")
    run_id: str | None = None
    seconds: float | None = Field(None, description="that the dub took; of a planned one: an estimate")
    duration_s: float | None = Field(None, description="of the video")
    wer: float | None = None
    warnings: tuple[str, ...] = ()
    report: str | None = Field(None, description="where the dub's own report lies")

    @property
    def real_time_factor(self) -> float | None:
        """Seconds of work by second of video."""
        return self.seconds / self.duration_s if self.seconds is not None and self.duration_s else None


class BatchSummary(Value):
    """A batch as it stands: `summary.json` in its output folder."""

    schema_version: Literal[1] = 1
    run_id: str
    source: str
    output_dir: str
    started_at: str
    seconds: float = Field(description="since it started")
    items: tuple[ItemReport, ...]

    @property
    def counts(self) -> dict[ItemState, int]:
        """How many items are in which state; those in which none is are absent."""
        return dict(Counter(item.state for item in self.items))

    @property
    def headline(self) -> str:
        """The counts in words: 12 dubs: 9 completed, 2 skipped, 1 failed."""
        order: tuple[ItemState, ...] = ("completed", "skipped", "failed", "running", "planned")
        told = [f"{self.counts[state]} {state}" for state in order if state in self.counts]
        return f"{len(self.items)} dubs: {', '.join(told) or 'nothing to do'}"

    @property
    def by_urgency(self) -> tuple[ItemReport, ...]:
        """What failed first, then what is at work, then the rest, each as it was listed."""
        urgency = {"failed": 0, "running": 1}
        return tuple(sorted(self.items, key=lambda item: urgency.get(item.state, 2)))

    @property
    def failures(self) -> tuple[ItemReport, ...]:
        """Items that failed."""
        return tuple(item for item in self.items if item.state == "failed")
