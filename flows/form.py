"""A flow whose parameters are the fields of a request: the form in Prefect's UI, and `prefect deployment run -p`."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import Field
from pydantic.fields import FieldInfo

from flows.requests import make_request
from schemas.value import Value

Asked = TypeVar("Asked", bound=Value)
Made = TypeVar("Made")


def form(kind: type[Asked]) -> Callable[[Callable[[Asked], Made]], Callable[..., Made]]:
    """Make a function of one request a function of the request's fields, each a keyword parameter.

    The request's own schema stays the only place where titles, choices, limits and defaults are written.

    Raises: RequestError, where the fields do not fit each other.
    """
    parameters = [_parameter(name, field) for name, field in kind.model_fields.items()]
    parameters.sort(key=lambda parameter: parameter.default is not inspect.Parameter.empty)

    def decorate(function: Callable[[Asked], Made]) -> Callable[..., Made]:
        @functools.wraps(function)
        def filled(**fields: Any) -> Made:
            return function(make_request(kind, **fields))

        filled.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        filled.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return filled

    return decorate


def fields_of(request: Value) -> dict[str, Any]:
    """Return a request as the parameters of its flow."""
    return request.model_dump(by_alias=True)


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    # Prefect overwrites a field's own title and description, but leaves those of its JSON schema.
    shown = {"title": field.title or name, "description": field.description}
    extra: Any = {key: value for key, value in shown.items() if value is not None}
    return inspect.Parameter(
        field.alias or name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if field.is_required() else field.get_default(call_default_factory=True),
        annotation=Annotated[(field.annotation, *field.metadata, Field(json_schema_extra=extra))],
    )
