"""One heavy task at a time on what is scarce: a lease of Prefect's server, given back also by those who were killed."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import concurrency

from schemas.errors import RequestError
from schemas.settings import Settings

LEASE_S = 60.0
"""A holder renews it all the time; what a killed one held is free again after this long. Prefect's shortest."""


@contextmanager
def machine_lease() -> Iterator[None]:
    """Hold the lease that this machine's heavy tasks take (JAMDUB_LEASE); without one nothing is held.

    Raises: RequestError, where the server knows no such limit.
    """
    name = Settings().lease
    if name is None:
        yield
        return
    with ExitStack() as held:
        try:
            held.enter_context(concurrency(name, occupy=1, strict=True, lease_duration=LEASE_S))
        except ConcurrencySlotAcquisitionError as error:
            raise RequestError(
                f"Prefect's server has no limit {name!r}, which JAMDUB_LEASE names: run `jamdub setup`, or make it by "
                f"`prefect gcl create {name} --limit 1`"
            ) from error
        yield
