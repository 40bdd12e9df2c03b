"""What went wrong at an S3 endpoint, in one line that says what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError

from schemas.errors import ArtifactMissing, StorageError

_REASONS = {
    "SignatureDoesNotMatch": "the secret does not belong to the access key; check JAMDUB_S3_SECRET_KEY",
    "InvalidAccessKeyId": "no such access key is known there; check JAMDUB_S3_ACCESS_KEY",
    "AccessDenied": "this access key is not allowed to; docs/storage.md says what it needs",
    "PreconditionFailed": "it was replaced while it was being read; run again",
    "RequestTimeTooSkewed": "this machine's clock is wrong; set it",
}


@contextmanager
def explained(deed: str, endpoint: str) -> Iterator[None]:
    """Turn the client's errors into ours.

    Args:
        deed: What is tried: "read s3://bucket/key".
    """
    try:
        yield
    except S3Error as error:
        if error.code == "NoSuchKey":
            raise ArtifactMissing(f"cannot {deed}: it is not there") from error
        raise StorageError(f"cannot {deed}: {_reason(error, endpoint)}") from error
    except (MinioException, HTTPError) as error:
        raise StorageError(
            f"cannot {deed}: {endpoint} does not answer as an S3 server ({_short(error)}); check JAMDUB_S3_ENDPOINT "
            "and the network, then run again: nothing is lost"
        ) from error


def _reason(error: S3Error, endpoint: str) -> str:
    if error.code == "NoSuchBucket":
        return f"{endpoint} has no bucket {error.bucket_name!r}; make it, or name another"
    return _REASONS.get(error.code or "", f"{endpoint} says {error.code}: {_short(error.message)}")


def _short(error: object) -> str:
    """The root of a chain of network errors, without the addresses of Python objects."""
    reason = getattr(error, "reason", None) or error
    text = re.sub(r"<[^>]*>:? ?", "", str(reason))
    return " ".join(text.split())[:200]
