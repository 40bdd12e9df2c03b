"""Read files that people write by hand: small ones, and no more of a large one than shows that it is large."""

from pathlib import Path

from schemas.errors import RequestError


def read_small(path: Path, what: str, *, max_bytes: int = 5_000_000) -> bytes:
    """Read a whole file; `what` names it in errors.

    Raises: RequestError where it cannot be read, or holds more than `max_bytes`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise RequestError(f"{what} {str(path)!r} cannot be read: {error.strerror}: check the path") from error
    if len(data) > max_bytes:
        raise RequestError(f"{what} {str(path)!r} is larger than {max_bytes} bytes: is it really one?")
    return data
