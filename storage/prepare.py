"""Make a store ready, and prove that it serves."""

import secrets

from schemas.errors import StorageError
from schemas.settings import Settings
from storage.bucket import open_bucket, split_s3_url
from storage.named import open_named

KIND = "setup"


def prepare_store(settings: Settings) -> None:
    """Make the bucket where it is missing; write, read and remove a value.

    Raises: StorageError, where any of it is refused, or another value comes back.
    """
    url = settings.resolved_store_url
    if url.startswith("s3://"):
        open_bucket(split_s3_url(url)[0], settings).make()
    values, name, data = open_named(settings, KIND), secrets.token_hex(8), secrets.token_bytes(16)
    values.write(name, data)
    if values.read(name) != data:
        raise StorageError(f"{url} gave back other bytes than were written: do not use it")
    values.remove(name)
