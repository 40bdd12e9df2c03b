"""The base of every value: frozen, and a misspelt field is an error."""

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen Pydantic value; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
