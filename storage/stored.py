"""How stores list what they hold."""

import re
from datetime import datetime
from typing import NamedTuple

SHA256 = re.compile(r"[0-9a-f]{64}")


class StoredObject(NamedTuple):
    """An object as the store lists it; `put_at` is when it was last put, whether it was there already or not."""

    sha256: str
    size_bytes: int
    put_at: datetime
