"""Settings that are wrong are named, and secrets are never shown."""

import pytest

from schemas.errors import RequestError
from schemas.settings import Settings

SECRETS = {
    "s3_secret_key": "a-secret",
    "database_url": "postgresql://jamdub:a-secret@host/name",
}


def test_secrets_are_in_no_representation() -> None:
    settings = Settings(**SECRETS)
    assert "a-secret" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert settings.resolved_database_url == SECRETS["database_url"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("s3_endpoint", "http://key:a-secret@host:9000"),
        ("s3_endpoint", "ftp://host/a-secret"),
        ("s3_endpoint", "host:9000"),
        ("cache_max_bytes", "a-secret"),
        ("max_upload_bytes", "0"),
    ],
)
def test_a_wrong_variable_is_named_without_its_value(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"JAMDUB_{name.upper()}", value)
    with pytest.raises(RequestError, match=f"JAMDUB_{name.upper()}: ") as caught:
        Settings()
    assert "a-secret" not in str(caught.value) and "\n" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
