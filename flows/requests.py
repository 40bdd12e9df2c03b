"""What is wrong with a request, said in one line."""

from pydantic import ValidationError

from schemas.errors import RequestError


def request_error(error: ValidationError) -> RequestError:
    """Name the first field that is wrong, its value and why."""
    first = error.errors()[0]
    return RequestError(f"{'.'.join(map(str, first['loc']))} {first['input']!r}: {first['msg']}")
