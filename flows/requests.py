"""A request made of what a user gave; what is wrong with it is said in one line."""

from typing import Any, TypeVar

from pydantic import ValidationError

from schemas.errors import RequestError
from schemas.value import Value

Asked = TypeVar("Asked", bound=Value)


def make_request(kind: type[Asked], **fields: Any) -> Asked:
    """Raises: RequestError, which names the first field that is wrong, its value and why, or says what does not fit."""
    try:
        return kind(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        place, said = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
        raise RequestError(f"{place} {first['input']!r}: {said}" if place else said) from error
