"""Names of stored bytes and of weights."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from schemas.value import Value

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ArtifactRef(Value):
    """The content address of stored bytes; everything large travels as one of these."""

    sha256: Sha256
    media_type: str
    size_bytes: int = Field(ge=0)


def refs_in(value: object) -> Iterator[ArtifactRef]:
    """Yield every reference that a value holds, however deep."""
    if isinstance(value, ArtifactRef):
        yield value
        return
    if isinstance(value, BaseModel):
        value = tuple(getattr(value, name) for name in type(value).model_fields)
    elif isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        for item in value:
            yield from refs_in(item)


class ModelRef(Value):
    """One set of weights: which, of which hash, under which licence."""

    name: str
    revision: str
    sha256: Sha256
    licence: str
    commercial_use: bool
    source: Literal["directory", "package", "store", "hub", "repository"] = "package"
