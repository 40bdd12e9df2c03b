"""Where things live and what a run may use; read from `JAMDUB_*` variables and `.env`, passed down as a value."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_home() -> Path:
    return Path.home() / ".local" / "share" / "jamdub"


class Settings(BaseSettings):
    """Construct it in flows and tasks; never at import."""

    model_config = SettingsConfigDict(env_prefix="JAMDUB_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(default_factory=_default_home, description="folder of everything jamdub keeps")
    store_url: str | None = Field(None, description="object store; empty: the folder `objects` under home")
    database_url: str | None = Field(None, description="catalogue; empty: SQLite `catalogue.db` under home")
    models_dir: Path | None = Field(None, description="folder with further weights (Marian, Demucs, voices)")
    threads: int = Field(2, ge=1, le=64, description="threads of each model")
    ffmpeg: Path | None = Field(None, description="ffmpeg to use instead of the packaged one")
    ffprobe: Path | None = Field(None, description="ffprobe to use instead of the packaged one")
    max_duration_s: float = Field(4 * 3600, gt=0, description="longest video accepted")
    max_pixels: int = Field(4096 * 2304, gt=0, description="largest picture accepted")
    tool_timeout_s: float = Field(3600, gt=0, description="longest run of one external program")

    @property
    def resolved_store_url(self) -> str:
        return self.store_url or (self.home / "objects").absolute().as_uri()

    @property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite:///{(self.home / 'catalogue.db').absolute()}"

    @property
    def cache_dir(self) -> Path:
        """Weights put together from packages; may be deleted at any time."""
        return self.home / "cache"
