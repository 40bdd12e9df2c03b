"""Where things live and what a run may use; read from `JAMDUB_*` variables and `.env`, passed down as a value."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.errors import RequestError

ENDPOINT = r"^https?://[A-Za-z0-9.\-\[\]:]+/?$"


def _default_home() -> Path:
    return Path.home() / ".local" / "share" / "jamdub"


class Settings(BaseSettings):
    """Construct it in flows and tasks; never at import. Raises: RequestError, which names the wrong variable."""

    model_config = SettingsConfigDict(env_prefix="JAMDUB_", env_file=".env", extra="ignore", frozen=True)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            name = "_".join(map(str, first["loc"][:1])).upper()
            raise RequestError(f"JAMDUB_{name}: {first['msg']}") from None  # the value may hold a secret

    home: Path = Field(default_factory=_default_home, description="folder of everything jamdub keeps")
    store_url: str | None = Field(None, description="object store; empty: the folder `objects` under home")
    database_url: SecretStr | None = Field(None, description="catalogue; empty: SQLite `catalogue.db` under home")
    s3_endpoint: Annotated[str, Field(pattern=ENDPOINT)] | None = Field(
        None, description="where s3:// URLs lead: https://host or http://host:port"
    )
    s3_public_endpoint: Annotated[str, Field(pattern=ENDPOINT)] | None = Field(
        None, description="where browsers reach the same server, for links in reports; empty: the endpoint"
    )
    s3_region: str = Field("us-east-1", description="region of the buckets")
    s3_access_key: str | None = Field(None, description="access key for the endpoint")
    s3_secret_key: SecretStr | None = Field(None, description="its secret")
    cache_max_bytes: int = Field(20 * 10**9, gt=0, description="most that copies of S3 objects take on this disk")
    files_root: Path | None = Field(
        None, description="folder that files of requests must lie in, for workers; empty: anywhere"
    )
    models_dir: Path | None = Field(None, description="folder with further weights (Marian, Demucs, voices)")
    lease: str | None = Field(None, description="limit of Prefect's server that heavy tasks hold here: gpu")
    threads: int = Field(2, ge=1, le=64, description="threads of each model")
    ffmpeg: Path | None = Field(None, description="ffmpeg to use instead of the packaged one")
    ffprobe: Path | None = Field(None, description="ffprobe to use instead of the packaged one")
    max_upload_bytes: int = Field(20_000_000_000, gt=0, description="largest file accepted")
    max_duration_s: float = Field(4 * 3600, gt=0, description="longest video accepted")
    max_pixels: int = Field(4096 * 2304, gt=0, description="largest picture accepted")
    max_frame_rate_hz: float = Field(240, gt=0, description="highest frame rate accepted")
    max_streams: int = Field(64, gt=0, description="most streams of one file accepted")
    max_channels: int = Field(16, gt=0, description="most channels of one sound accepted")
    tool_timeout_s: float = Field(3600, gt=0, description="longest run of one external program")
    tool_memory_bytes: int = Field(8_000_000_000, gt=0, description="most memory of one external program")

    @property
    def resolved_store_url(self) -> str:
        return self.store_url or (self.home / "objects").absolute().as_uri()

    @property
    def resolved_database_url(self) -> str:
        """With its password: never to be shown."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.home / 'catalogue.db').absolute()}"

    @property
    def cache_dir(self) -> Path:
        """Weights put together from packages, copies of S3 objects; may be deleted at any time."""
        return self.home / "cache"
